import Testing

/// Real clients against the built gateway, which is started once and stopped, with a look at its exit status, at the end.
/// The suites of the clients are nested in this one, a file for each.
@Suite(.runningGateway) struct EndToEnd {}
