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
        migrator.registerMigration("5 messages by number") { db in
            // Messages lie in the order in which they came, in one tree: half the writing of two indexes over long ids.
            try db.execute(
                sql: """
                    -- What refers to a renamed table goes on referring to its old name, which the new table takes.
                    PRAGMA legacy_alter_table = ON;
                    ALTER TABLE conversation RENAME TO conversation1;
                    ALTER TABLE message RENAME TO message1;
                    ALTER TABLE feedback RENAME TO feedback1;
                    ALTER TABLE feedbackEvent RENAME TO feedbackEvent1;
                    DROP INDEX conversationUser;
                    DROP INDEX feedbackUser;
                    DROP INDEX feedbackEventMessage;
                    DROP INDEX feedbackEventUser;
                    CREATE TABLE conversation (
                        number INTEGER NOT NULL PRIMARY KEY,
                        id TEXT NOT NULL UNIQUE,
                        userID TEXT NOT NULL,
                        consent INTEGER NOT NULL,      -- 1 improve, 2 release; nothing is kept of 0
                        changedAt REAL NOT NULL,       -- seconds since 1970
                        body BLOB NOT NULL
                    );
                    CREATE TABLE message (
                        key INTEGER NOT NULL PRIMARY KEY,  -- the conversation's number * 2^20 + the message's place
                        id TEXT NOT NULL,
                        body BLOB NOT NULL             -- without feedback
                    );
                    CREATE TABLE feedback (            -- current: one per person and message
                        conversation INTEGER NOT NULL REFERENCES conversation(number) ON DELETE CASCADE,
                        messageID TEXT NOT NULL,
                        userID TEXT NOT NULL,
                        place INTEGER NOT NULL,        -- order in which people first spoke
                        rating INTEGER,                -- 1, -1 or NULL
                        body BLOB NOT NULL,
                        PRIMARY KEY (conversation, messageID, userID)
                    ) WITHOUT ROWID;
                    CREATE TABLE feedbackEvent (       -- all that was ever said
                        id INTEGER PRIMARY KEY AUTOINCREMENT,
                        conversation INTEGER NOT NULL REFERENCES conversation(number) ON DELETE CASCADE,
                        messageID TEXT NOT NULL,
                        userID TEXT NOT NULL,
                        action TEXT NOT NULL,          -- given, retracted
                        body BLOB NOT NULL,
                        recordedAt REAL NOT NULL
                    );
                    INSERT INTO conversation SELECT rowid, id, userID, consent, changedAt, body FROM conversation1;
                    INSERT INTO message
                        SELECT (c.rowid << 20)
                            + row_number() OVER (PARTITION BY c.rowid ORDER BY m.position, m.rowid) - 1, m.id, m.body
                        FROM message1 m JOIN conversation1 c ON c.id = m.conversationID;
                    INSERT INTO feedback
                        SELECT c.rowid, f.messageID, f.userID, f.rowid, f.rating, f.body
                        FROM feedback1 f JOIN conversation1 c ON c.id = f.conversationID;
                    INSERT INTO feedbackEvent
                        SELECT e.id, c.rowid, e.messageID, e.userID, e.action, e.body, e.recordedAt
                        FROM feedbackEvent1 e JOIN conversation1 c ON c.id = e.conversationID ORDER BY e.id;
                    DROP TABLE feedbackEvent1;
                    DROP TABLE feedback1;
                    DROP TABLE message1;
                    DROP TABLE conversation1;
                    PRAGMA legacy_alter_table = OFF;
                    CREATE INDEX conversationUser ON conversation(userID);
                    CREATE INDEX feedbackUser ON feedback(userID);
                    CREATE INDEX feedbackEventMessage ON feedbackEvent(conversation, messageID);
                    CREATE INDEX feedbackEventUser ON feedbackEvent(userID);
                    """)
        }
        migrator.registerMigration("6 consent, raters, lineage, accesses") { db in
            try db.execute(
                sql: """
                    CREATE TABLE consentEvent (
                        id INTEGER PRIMARY KEY AUTOINCREMENT,
                        conversation INTEGER NOT NULL REFERENCES conversation(number) ON DELETE CASCADE,
                        consent INTEGER NOT NULL,
                        textVersion TEXT,              -- of the text that the person agreed to
                        recordedAt REAL NOT NULL
                    );
                    CREATE INDEX consentEventConversation ON consentEvent(conversation);
                    CREATE TABLE annotation (          -- current: one per rater, message and label
                        conversation INTEGER NOT NULL REFERENCES conversation(number) ON DELETE CASCADE,
                        messageID TEXT NOT NULL,
                        rater TEXT NOT NULL,
                        label TEXT NOT NULL,
                        value REAL,
                        comment TEXT,
                        recordedAt REAL NOT NULL,
                        PRIMARY KEY (conversation, messageID, rater, label)
                    ) WITHOUT ROWID;
                    CREATE INDEX annotationRater ON annotation(rater);
                    CREATE TABLE modelSeen (
                        model TEXT NOT NULL PRIMARY KEY, firstAt REAL NOT NULL, lastAt REAL NOT NULL
                    ) WITHOUT ROWID;
                    CREATE TABLE dataset (
                        id TEXT NOT NULL PRIMARY KEY, path TEXT NOT NULL, shape TEXT NOT NULL,
                        conversations INTEGER NOT NULL, people INTEGER NOT NULL, createdAt REAL NOT NULL
                    );
                    CREATE TABLE datasetPerson (       -- only a hash of a pseudonym, as in deletedPerson
                        hash TEXT NOT NULL,
                        dataset TEXT NOT NULL REFERENCES dataset(id) ON DELETE CASCADE,
                        PRIMARY KEY (hash, dataset)
                    ) WITHOUT ROWID;
                    CREATE INDEX datasetPersonDataset ON datasetPerson(dataset);
                    CREATE TABLE trainedModel (id TEXT NOT NULL PRIMARY KEY, path TEXT NOT NULL, createdAt REAL NOT NULL);
                    CREATE TABLE modelDataset (
                        dataset TEXT NOT NULL,
                        model TEXT NOT NULL REFERENCES trainedModel(id) ON DELETE CASCADE,
                        PRIMARY KEY (dataset, model)
                    ) WITHOUT ROWID;
                    CREATE INDEX modelDatasetModel ON modelDataset(model);
                    CREATE TABLE access (              -- operators' looks at raw text
                        id INTEGER PRIMARY KEY AUTOINCREMENT,
                        actor TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL, reason TEXT NOT NULL,
                        recordedAt REAL NOT NULL
                    );
                    """)
        }
        migrator.registerMigration("7 accounts, raters' pairs") { db in
            try db.execute(
                sql: """
                    CREATE TABLE account (
                        name TEXT NOT NULL PRIMARY KEY, role TEXT NOT NULL, passwordHash TEXT NOT NULL,
                        createdAt REAL NOT NULL
                    );
                    CREATE TABLE accountSession (      -- hash of the secret in the cookie
                        hash TEXT NOT NULL PRIMARY KEY,
                        account TEXT NOT NULL REFERENCES account(name) ON DELETE CASCADE,
                        createdAt REAL NOT NULL,
                        expiresAt REAL NOT NULL
                    ) WITHOUT ROWID;
                    CREATE INDEX accountSessionAccount ON accountSession(account);
                    CREATE TABLE pairVote (            -- current: one per pair and rater
                        pair TEXT NOT NULL,
                        rater TEXT NOT NULL,
                        firstConversation INTEGER NOT NULL REFERENCES conversation(number) ON DELETE CASCADE,
                        firstMessage TEXT,             -- NULL: the whole conversation
                        firstModel TEXT NOT NULL,
                        secondConversation INTEGER NOT NULL REFERENCES conversation(number) ON DELETE CASCADE,
                        secondMessage TEXT,
                        secondModel TEXT NOT NULL,
                        question TEXT NOT NULL,
                        choice INTEGER NOT NULL,       -- 1 the first, 2 the second, 0 neither
                        comment TEXT,
                        recordedAt REAL NOT NULL,
                        PRIMARY KEY (pair, rater)
                    ) WITHOUT ROWID;
                    CREATE INDEX pairVoteFirst ON pairVote(firstConversation);
                    CREATE INDEX pairVoteSecond ON pairVote(secondConversation);
                    CREATE TABLE goldAnswer (
                        rater TEXT NOT NULL, item TEXT NOT NULL, isRight INTEGER NOT NULL, recordedAt REAL NOT NULL,
                        PRIMARY KEY (rater, item)
                    ) WITHOUT ROWID;
                    """)
        }
        migrator.registerMigration("8 API keys") { db in
            try db.execute(
                sql: """
                    CREATE TABLE apiKey (
                        id TEXT NOT NULL PRIMARY KEY,
                        name TEXT NOT NULL,
                        hash TEXT NOT NULL UNIQUE,     -- SHA-256 of the key, which itself is nowhere
                        hint TEXT NOT NULL,
                        role TEXT NOT NULL,            -- client, operator
                        createdAt REAL NOT NULL,
                        revokedAt REAL                 -- NULL while it holds
                    );
                    """)
        }
        migrator.registerMigration("9 deleted conversations") { db in
            // Only a hash of an id, to know a conversation by that comes back with an old log.
            try db.execute(
                sql: """
                    CREATE TABLE deletedConversation (
                        hash TEXT NOT NULL PRIMARY KEY, deletedAt REAL NOT NULL
                    ) WITHOUT ROWID
                    """)
        }
        return migrator
    }
}
