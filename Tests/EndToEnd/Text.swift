extension String {
    /// Without white space at its ends, as a shell hands on what a program printed.
    var trimmed: String {
        String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }

    /// With each occurrence of `part` replaced.
    func replacing(_ part: String, with replacement: String) -> String {
        split(separator: part, omittingEmptySubsequences: false).joined(separator: replacement)
    }
}
