import Storage
import Testing

@Suite("Where a store is")
struct StoreLocationTests {
    @Test(
        "messages name a store without its password, whatever is in that",
        arguments: [
            ("chats.sqlite", "chats.sqlite"), ("none", "none"),
            ("postgres://localhost/chats", "postgres://localhost/chats"),
            ("postgres://loam:secret@localhost:5432/chats", "postgres://localhost:5432/chats"),
            ("postgresql://loam:sec/ret@localhost/chats", "postgres://localhost/chats"),
            ("postgres://loam:sec@ret@[::1]/chats", "postgres://[::1]/chats"),
            ("postgres://localhost/chats?user=loam&password=secret", "postgres://localhost/chats"),
            ("postgres://loam:sec?ret@localhost/chats", "postgres"),
        ])
    func name(_ text: String, _ name: String) {
        #expect(StoreLocation(text).name == name)
        #expect(StoreLocation(text).text == text)
    }
}
