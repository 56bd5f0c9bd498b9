import Testing
@Test func placeholderStatusFeedTests() {}
