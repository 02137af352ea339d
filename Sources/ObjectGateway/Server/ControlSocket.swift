import HTTPServer

/// The socket in the data folder through which commands speak to the gateway that serves it.
enum ControlSocket {
    static let fileName = "ogw.sock"

    static func path(in folder: String) -> String { folder + "/" + fileName }

    /// Throws where the path is longer than a socket's may be.
    static func address(in folder: String) throws(StartError) -> ListenAddress {
        guard let address = ListenAddress("unix:" + path(in: folder)) else {
            throw StartError(
                "OGW_DATA is \"\(folder)\": wanted a path of at most 98 bytes, so that the socket in it can have a name."
            )
        }
        return address
    }
}
