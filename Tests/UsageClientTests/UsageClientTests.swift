import Testing
@Test func placeholderUsageClientTests() {}
