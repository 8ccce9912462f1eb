/// The tables of a store in PostgreSQL, as the steps that made them. A step is never changed once it is released.
///
/// The same tables as in SQLite. Texts compare byte by byte (`COLLATE "C"`), so that both stores have one order.
enum PostgresSchema {
    /// Waits for the store's lock until the end of the transaction: shared by writes to single conversations.
    static func lock(_ connection: PostgresConnection, exclusively: Bool) throws {
        let function = exclusively ? "pg_advisory_xact_lock" : "pg_advisory_xact_lock_shared"
        // 1281452397 is "Loam" in ASCII; the schema's own number tells stores of one database apart.
        try connection.run("SELECT \(function)(1281452397, coalesce(to_regnamespace(current_schema())::oid::int, 0))")
    }

    static func migrate(_ connection: PostgresConnection, store: String) throws {
        try lock(connection, exclusively: true)
        let tables = try connection.all(
            "SELECT table_name::text FROM information_schema.tables WHERE table_schema = current_schema()"
        ) { $0.text(0) }
        guard try connection.first("SELECT 1 WHERE current_schema() IS NOT NULL", row: { _ in true }) != nil else {
            throw StorageError(.unavailable, file: store, reason: "the schema of the search path does not exist")
        }
        if tables.isEmpty {
            try connection.run("CREATE TABLE loamMigration (name TEXT PRIMARY KEY)")
        } else if !tables.contains("loammigration") {
            throw StorageError(.notAStore, file: store, reason: "a database, but not a store of Loam")
        }
        let done = try connection.all("SELECT name FROM loamMigration") { $0.text(0) }
        let known = Set(steps.map(\.name))
        guard known.isSuperset(of: done) else {
            throw StorageError(
                .newerSchema, file: store,
                reason: "written by a newer version of Loam; use that version, or another store")
        }
        for step in steps where !done.contains(step.name) {
            try connection.run(step.sql)
            try connection.execute("INSERT INTO loamMigration (name) VALUES (?1)", .text(step.name))
        }
    }

    static let steps: [(name: String, sql: String)] = [
        (
            "1 conversations, messages, feedback",
            """
            CREATE TABLE conversation (
                number BIGINT NOT NULL PRIMARY KEY,
                id TEXT COLLATE "C" NOT NULL UNIQUE,
                userID TEXT COLLATE "C" NOT NULL,
                consent BIGINT NOT NULL,
                changedAt DOUBLE PRECISION NOT NULL,
                body TEXT NOT NULL
            );
            CREATE INDEX conversationUser ON conversation(userID);
            CREATE TABLE message (
                key BIGINT NOT NULL PRIMARY KEY,
                id TEXT COLLATE "C" NOT NULL,
                body TEXT NOT NULL
            );
            CREATE TABLE feedback (
                conversation BIGINT NOT NULL REFERENCES conversation(number) ON DELETE CASCADE,
                messageID TEXT COLLATE "C" NOT NULL,
                userID TEXT COLLATE "C" NOT NULL,
                place BIGINT NOT NULL,
                rating BIGINT,
                body TEXT NOT NULL,
                PRIMARY KEY (conversation, messageID, userID)
            );
            CREATE INDEX feedbackUser ON feedback(userID);
            CREATE TABLE feedbackEvent (
                id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                conversation BIGINT NOT NULL REFERENCES conversation(number) ON DELETE CASCADE,
                messageID TEXT COLLATE "C" NOT NULL,
                userID TEXT COLLATE "C" NOT NULL,
                action TEXT NOT NULL,
                body TEXT NOT NULL,
                recordedAt DOUBLE PRECISION NOT NULL
            );
            CREATE INDEX feedbackEventMessage ON feedbackEvent(conversation, messageID);
            CREATE INDEX feedbackEventUser ON feedbackEvent(userID);
            CREATE TABLE deletedPerson (hash TEXT COLLATE "C" PRIMARY KEY, deletedAt DOUBLE PRECISION NOT NULL);
            """
        ),
        (
            "2 consent, raters, lineage, accesses",
            """
            CREATE TABLE consentEvent (
                id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                conversation BIGINT NOT NULL REFERENCES conversation(number) ON DELETE CASCADE,
                consent BIGINT NOT NULL,
                textVersion TEXT,
                recordedAt DOUBLE PRECISION NOT NULL
            );
            CREATE INDEX consentEventConversation ON consentEvent(conversation);
            CREATE TABLE annotation (
                conversation BIGINT NOT NULL REFERENCES conversation(number) ON DELETE CASCADE,
                messageID TEXT COLLATE "C" NOT NULL,
                rater TEXT COLLATE "C" NOT NULL,
                label TEXT COLLATE "C" NOT NULL,
                value DOUBLE PRECISION,
                comment TEXT,
                recordedAt DOUBLE PRECISION NOT NULL,
                PRIMARY KEY (conversation, messageID, rater, label)
            );
            CREATE INDEX annotationRater ON annotation(rater);
            CREATE TABLE modelSeen (
                model TEXT COLLATE "C" PRIMARY KEY, firstAt DOUBLE PRECISION NOT NULL, lastAt DOUBLE PRECISION NOT NULL
            );
            CREATE TABLE dataset (
                id TEXT COLLATE "C" PRIMARY KEY, path TEXT NOT NULL, shape TEXT NOT NULL,
                conversations BIGINT NOT NULL, people BIGINT NOT NULL, createdAt DOUBLE PRECISION NOT NULL
            );
            CREATE TABLE datasetPerson (
                hash TEXT COLLATE "C" NOT NULL,
                dataset TEXT COLLATE "C" NOT NULL REFERENCES dataset(id) ON DELETE CASCADE,
                PRIMARY KEY (hash, dataset)
            );
            CREATE INDEX datasetPersonDataset ON datasetPerson(dataset);
            CREATE TABLE trainedModel (
                id TEXT COLLATE "C" PRIMARY KEY, path TEXT NOT NULL, createdAt DOUBLE PRECISION NOT NULL
            );
            CREATE TABLE modelDataset (
                dataset TEXT COLLATE "C" NOT NULL,
                model TEXT COLLATE "C" NOT NULL REFERENCES trainedModel(id) ON DELETE CASCADE,
                PRIMARY KEY (dataset, model)
            );
            CREATE INDEX modelDatasetModel ON modelDataset(model);
            CREATE TABLE access (
                id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                actor TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL, reason TEXT NOT NULL,
                recordedAt DOUBLE PRECISION NOT NULL
            );
            """
        ),
        (
            "3 memories",
            """
            CREATE TABLE memory (
                id TEXT COLLATE "C" PRIMARY KEY,
                userID TEXT COLLATE "C" NOT NULL,
                owner TEXT NOT NULL,
                text TEXT NOT NULL,
                conversationID TEXT COLLATE "C" REFERENCES conversation(id) ON DELETE CASCADE,
                messageID TEXT,
                createdAt DOUBLE PRECISION NOT NULL,
                changedAt DOUBLE PRECISION NOT NULL,
                usedAt DOUBLE PRECISION,
                vector BYTEA
            );
            CREATE INDEX memoryUser ON memory(userID);
            CREATE INDEX memoryConversation ON memory(conversationID);
            """
        ),
        (
            "4 accounts, raters' pairs",
            """
            CREATE TABLE account (
                name TEXT COLLATE "C" PRIMARY KEY, role TEXT NOT NULL, passwordHash TEXT NOT NULL,
                createdAt DOUBLE PRECISION NOT NULL
            );
            CREATE TABLE accountSession (
                hash TEXT COLLATE "C" PRIMARY KEY,
                account TEXT COLLATE "C" NOT NULL REFERENCES account(name) ON DELETE CASCADE,
                createdAt DOUBLE PRECISION NOT NULL,
                expiresAt DOUBLE PRECISION NOT NULL
            );
            CREATE INDEX accountSessionAccount ON accountSession(account);
            CREATE TABLE pairVote (
                pair TEXT COLLATE "C" NOT NULL,
                rater TEXT COLLATE "C" NOT NULL,
                firstConversation BIGINT NOT NULL REFERENCES conversation(number) ON DELETE CASCADE,
                firstMessage TEXT COLLATE "C",
                firstModel TEXT NOT NULL,
                secondConversation BIGINT NOT NULL REFERENCES conversation(number) ON DELETE CASCADE,
                secondMessage TEXT COLLATE "C",
                secondModel TEXT NOT NULL,
                question TEXT NOT NULL,
                choice BIGINT NOT NULL,
                comment TEXT,
                recordedAt DOUBLE PRECISION NOT NULL,
                PRIMARY KEY (pair, rater)
            );
            CREATE INDEX pairVoteFirst ON pairVote(firstConversation);
            CREATE INDEX pairVoteSecond ON pairVote(secondConversation);
            CREATE TABLE goldAnswer (
                rater TEXT COLLATE "C" NOT NULL, item TEXT COLLATE "C" NOT NULL, isRight BIGINT NOT NULL,
                recordedAt DOUBLE PRECISION NOT NULL, PRIMARY KEY (rater, item)
            );
            """
        ),
        (
            "5 API keys",
            """
            CREATE TABLE apiKey (
                id TEXT COLLATE "C" PRIMARY KEY,
                name TEXT COLLATE "C" NOT NULL,
                hash TEXT COLLATE "C" NOT NULL UNIQUE,
                hint TEXT NOT NULL,
                role TEXT NOT NULL,
                createdAt DOUBLE PRECISION NOT NULL,
                revokedAt DOUBLE PRECISION
            );
            """
        ),
        (
            "6 deleted conversations",
            """
            CREATE TABLE deletedConversation (hash TEXT COLLATE "C" PRIMARY KEY, deletedAt DOUBLE PRECISION NOT NULL);
            """
        ),
    ]
}
