import Testing
@Test func placeholderStoresTests() {}
