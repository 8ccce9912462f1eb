import Generation

/// The local model continues texts as they stand.
extension ReplyGenerator: TextCompleter {}
