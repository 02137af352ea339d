import Bytes
import Testing

@Suite struct DateFormatsTests {
    private let moment = Timestamp(milliseconds: 784_111_777_123)

    @Test func `a moment is written in each form`() {
        #expect(String(ascii: DateFormats.http(moment)) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(String(ascii: DateFormats.iso8601(moment)) == "1994-11-06T08:49:37.123Z")
        #expect(String(ascii: DateFormats.amz(moment)) == "19941106T084937Z")
        #expect(String(ascii: DateFormats.iso8601(Timestamp(milliseconds: -1))) == "1969-12-31T23:59:59.999Z")
        #expect(String(ascii: DateFormats.iso8601(Timestamp(seconds: -62_167_219_200))) == "0000-01-01T00:00:00.000Z")
    }

    /// RFC 9110, section 5.6.7.
    @Test(arguments: [
        "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
        "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 08:49:37 +0000",
        "sun, 06 nov 1994 08:49:37 GMT",
    ]) func `the three forms of an HTTP date are read`(_ text: String) {
        #expect(DateFormats.parseHTTP(text.utf8) == Timestamp(seconds: 784_111_777))
    }

    @Test(arguments: [
        "", "Sun", "06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 EST", "Sun, 06 Nov 1994 08:49 GMT",
        "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37:00 GMT", "Sun, 06 Nov 99999999 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT x",
        "Sun, -6 Nov 1994 08:49:37 GMTx", "Sun, 06 Nov 1994 ::: GMT",
    ]) func `no other form is an HTTP date`(_ text: String) { #expect(DateFormats.parseHTTP(text.utf8) == nil) }

    @Test func `years of two digits lie between 1970 and 2069`() {
        #expect(DateFormats.parseHTTP("Thursday, 01-Jan-70 00:00:00 GMT".utf8) == Timestamp(seconds: 0))
        let late = DateFormats.parseHTTP("Tuesday, 31-Dec-69 00:00:00 GMT".utf8)
        #expect(late.map { CalendarTime($0).year } == 2069)
    }

    @Test(arguments: [
        "", "20130524T000000", "20130524T000000z", "20130524t000000Z", "2013052aT000000Z", "20131324T000000Z",
        "20130524T240000Z", "20130524T000000ZZ", "+0130524T000000Z", "20130524 000000Z", "２０１３0524T000000Z",
    ]) func `the basic form is read strictly`(_ text: String) {
        #expect(DateFormats.parseAmz("20130524T000000Z".utf8) == Timestamp(seconds: 1_369_353_600))
        #expect(DateFormats.parseAmz(text.utf8) == nil)
    }

    @Test(
        arguments: [
            ("2009-10-12T17:50:30.000Z", 1_255_369_830_000), ("2009-10-12T17:50:30Z", 1_255_369_830_000),
            ("2009-10-12T17:50:30.1Z", 1_255_369_830_100), ("2009-10-12T17:50:30.123456789Z", 1_255_369_830_123),
            ("1969-12-31T23:59:59.999Z", -1),
        ] as [(String, Int64)]) func `ISO 8601 is read with and without a fraction`(
            _ text: String, _ milliseconds: Int64
        )
    {
        #expect(DateFormats.parseISO8601(text.utf8)?.milliseconds == milliseconds)
    }

    @Test(arguments: [
        "", "2009-10-12", "2009-10-12T17:50:30", "2009-10-12T17:50:30.Z", "2009-10-12T17:50:30.xZ",
        "2009-10-12T17:50:30+00:00", "2009-10-12 17:50:30Z", "2009-10-12T17:50:30,5Z", "2009-13-12T17:50:30Z",
        "2009-10-12T17:50:30.1234567890123456Z", "2009-1-12T17:50:30.00Z",
    ]) func `no other form is ISO 8601 here`(_ text: String) { #expect(DateFormats.parseISO8601(text.utf8) == nil) }

    @Test func `what is written is read back`() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(state: seed)
        for _ in 0..<2000 {
            let moment = Timestamp(
                milliseconds: Int64.random(in: -62_167_219_200_000...253_402_300_799_999, using: &random))
            let whole = Timestamp(seconds: moment.seconds)
            #expect(DateFormats.parseISO8601(DateFormats.iso8601(moment)) == moment, "seed \(seed)")
            #expect(DateFormats.parseHTTP(DateFormats.http(moment)) == whole, "seed \(seed)")
            #expect(DateFormats.parseAmz(DateFormats.amz(moment)) == whole, "seed \(seed)")
        }
    }
}
