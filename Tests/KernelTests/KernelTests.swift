import Testing
@Test func placeholderKernelTests() {}
