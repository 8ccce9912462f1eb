import GRDB

/// The tables of a store, as the steps that made them. A step is never changed once it is released: a new one follows.
enum StoreSchema {
    /// Marks a file as a store of Loam ("Loam" in ASCII).
    static let applicationID: Int32 = 0x4C6F_616D

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 conversations, messages, feedback") { db in
            try db.execute(sql: "PRAGMA application_id = \(applicationID)")
            // `body` is JSON in the words of Loam's log, as bytes: it holds all that no query asks for.
            try db.execute(
                sql: """
                    CREATE TABLE conversation (
                        id TEXT NOT NULL PRIMARY KEY,
                        userID TEXT NOT NULL,
                        consent INTEGER NOT NULL,      -- 1 improve, 2 release; nothing is kept of 0
                        changedAt REAL NOT NULL,       -- seconds since 1970
                        body BLOB NOT NULL
                    );
                    CREATE INDEX conversationUser ON conversation(userID);
                    CREATE TABLE message (
                        conversationID TEXT NOT NULL REFERENCES conversation(id) ON DELETE CASCADE,
                        id TEXT NOT NULL,
                        position INTEGER NOT NULL,
                        body BLOB NOT NULL,            -- without feedback
                        PRIMARY KEY (conversationID, id)
                    );
                    CREATE TABLE feedback (            -- current: one per person and message
                        conversationID TEXT NOT NULL,
                        messageID TEXT NOT NULL,
                        userID TEXT NOT NULL,
                        rating INTEGER,                -- 1, -1 or NULL
                        body BLOB NOT NULL,
                        PRIMARY KEY (conversationID, messageID, userID),
                        FOREIGN KEY (conversationID, messageID) REFERENCES message(conversationID, id) ON DELETE CASCADE
                    );
                    CREATE INDEX feedbackUser ON feedback(userID);
                    CREATE TABLE feedbackEvent (       -- all that was ever said
                        id INTEGER PRIMARY KEY AUTOINCREMENT,
                        conversationID TEXT NOT NULL,
                        messageID TEXT NOT NULL,
                        userID TEXT NOT NULL,
                        action TEXT NOT NULL,          -- given, retracted
                        body BLOB NOT NULL,
                        recordedAt REAL NOT NULL,
                        FOREIGN KEY (conversationID, messageID) REFERENCES message(conversationID, id) ON DELETE CASCADE
                    );
                    CREATE INDEX feedbackEventMessage ON feedbackEvent(conversationID, messageID);
                    CREATE INDEX feedbackEventUser ON feedbackEvent(userID);
                    """)
        }
        migrator.registerMigration("2 deleted people") { db in
            // Only a hash of a pseudonym, to know a person by who comes back with an old log.
            try db.execute(
                sql:
                    "CREATE TABLE deletedPerson (hash TEXT NOT NULL PRIMARY KEY, deletedAt REAL NOT NULL) WITHOUT ROWID"
            )
        }
        migrator.registerMigration("3 memories") { db in
            try db.execute(
                sql: """
                    CREATE TABLE memory (
                        id TEXT NOT NULL PRIMARY KEY,
                        userID TEXT NOT NULL,
                        owner TEXT NOT NULL,           -- person or bot
                        text TEXT NOT NULL,
                        conversationID TEXT REFERENCES conversation(id) ON DELETE CASCADE,
                        messageID TEXT,                -- its source
                        createdAt REAL NOT NULL,       -- seconds since 1970
                        changedAt REAL NOT NULL,
                        usedAt REAL,
                        vector BLOB                    -- little-endian float32
                    );
                    CREATE INDEX memoryUser ON memory(userID);
                    CREATE INDEX memoryConversation ON memory(conversationID);
                    """)
        }
        migrator.registerMigration("4 documents") { db in
            try db.execute(
                sql: """
                    CREATE TABLE document (
                        id INTEGER PRIMARY KEY AUTOINCREMENT,
                        url TEXT NOT NULL UNIQUE,
                        title TEXT NOT NULL,
                        fingerprint TEXT NOT NULL      -- of the file as it was indexed
                    );
                    CREATE VIRTUAL TABLE passage USING fts5(
                        documentID UNINDEXED, position UNINDEXED, title, content, tokenize = 'porter unicode61');
                    """)
        }
        return migrator
    }
}
