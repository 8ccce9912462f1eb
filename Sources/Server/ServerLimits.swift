/// What one person, one address and one request may ask for.
public struct ServerLimits: Sendable, Hashable {
    /// Longest message, comment or correction, in characters of Unicode (scalars).
    public var messageCharacters: Int
    /// Largest request body, in bytes.
    public var bodyBytes: Int
    /// Replies being written or waiting at once, over all people, each choice of a request counted; more are told to
    /// come back (429).
    public var repliesAtOnce: Int
    /// Messages that one person may send in a row before `secondsPerMessage` holds.
    public var messageBurst: Int
    /// Seconds between two messages of one person once the burst is spent.
    public var secondsPerMessage: Double
    /// Requests of any kind that one address may send in a row before `secondsPerRequest` holds.
    public var requestBurst: Int
    /// Seconds between two requests of one address once the burst is spent.
    public var secondsPerRequest: Double
    /// Conversations that are held in memory for people who asked that nothing be kept; those in which nothing was said go
    /// first, then the longest untouched.
    public var unkeptConversations: Int
    /// Most messages in one conversation; after that the person is asked to start again.
    public var messagesPerConversation: Int
    /// Most replies to one message, those that were asked for again counted in.
    public var repliesPerTurn: Int
    /// Most tokens in one reply, whatever a request of the API asks for.
    public var tokensPerReply: Int
    /// Most texts that one request to `/v1/embeddings` may hold, as OpenAI's.
    public var textsPerRequest = 2048
    /// Most texts that one request to `/v1/moderations` may hold: each is a pass of its own.
    public var moderatedTexts = 64
    /// Requests of the API that one key may send in a row before `secondsPerKeyRequest` holds.
    public var keyBurst = 200
    /// Seconds between two requests of one key once the burst is spent.
    public var secondsPerKeyRequest = 0.05
    /// Conversations that one address may begin in a row before `secondsPerConversation` holds.
    public var conversationBurst = 30
    /// Seconds between two conversations that one address begins once the burst is spent.
    public var secondsPerConversation = 3.0
    /// Most connections at once; more wait until one closes.
    public var connections = 4096
    /// Seconds after which a connection is closed that brings no whole request, or takes no answer.
    public var idleSeconds = 60.0

    public init(
        messageCharacters: Int = 2000, bodyBytes: Int = 256 * 1024, repliesAtOnce: Int = 128, messageBurst: Int = 12,
        secondsPerMessage: Double = 3, requestBurst: Int = 400, secondsPerRequest: Double = 0.02,
        unkeptConversations: Int = 1000, messagesPerConversation: Int = 400, repliesPerTurn: Int = 5,
        tokensPerReply: Int = 512
    ) {
        self.messageCharacters = messageCharacters
        self.bodyBytes = bodyBytes
        self.repliesAtOnce = repliesAtOnce
        self.messageBurst = messageBurst
        self.secondsPerMessage = secondsPerMessage
        self.requestBurst = requestBurst
        self.secondsPerRequest = secondsPerRequest
        self.unkeptConversations = unkeptConversations
        self.messagesPerConversation = messagesPerConversation
        self.repliesPerTurn = repliesPerTurn
        self.tokensPerReply = tokensPerReply
    }

    /// Whether a message, comment or correction is short enough. Scalars are counted: a letter with thousands of marks
    /// over it is one character.
    func hold(_ text: String) -> Bool { text.unicodeScalars.count <= messageCharacters }
}
