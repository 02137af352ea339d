/// The version of the program, as `ogw version` and the OpenAPI document tell it.
public let ogwVersion = "0.1.0"
