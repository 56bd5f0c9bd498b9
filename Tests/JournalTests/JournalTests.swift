import Testing
@Test func placeholderJournalTests() {}
