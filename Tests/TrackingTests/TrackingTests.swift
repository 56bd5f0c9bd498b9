import Testing
@Test func placeholderTrackingTests() {}
