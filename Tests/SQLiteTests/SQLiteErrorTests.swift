import SQLite
import Testing

@Suite struct SQLiteErrorTests {
    @Test func `extended codes keep their kind`() {
        let sync = SQLiteError(code: 1034, message: "disk I/O error")
        #expect(sync.isInputOutput && sync.primaryCode == 10 && !sync.isTransient && !sync.isDiskFull)
        #expect(SQLiteError(code: 13, message: "").isDiskFull)
        #expect(SQLiteError(code: 261, message: "").isTransient)
        #expect(sync.description == "SQLite 1034: disk I/O error")
    }
}
