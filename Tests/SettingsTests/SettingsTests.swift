import Testing
@Test func placeholderSettingsTests() {}
