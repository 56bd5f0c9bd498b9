import Testing
@Test func placeholderAccountingTests() {}
