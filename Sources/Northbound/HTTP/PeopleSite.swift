public import Hummingbird

/// Answers what is asked for beside the interfaces for programs: pages for people.
///
/// What it throws becomes a problem document, so it makes its own pages of refusals.
public typealias PeopleSite = @Sendable (Request, CallContext) async throws -> Response
