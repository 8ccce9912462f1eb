import Generation

/// Tells what the model is doing now: its queue, its times by the token, its cache.
public protocol ModelGauge: Sendable {
    func status() async -> BatchScheduler.Status
}

extension ReplyGenerator: ModelGauge {
    public func status() async -> BatchScheduler.Status { await scheduler.status }
}

extension BatchScheduler.Status {
    var families: [MetricFamily] {
        [
            MetricFamily("loam_model_running", "Replies that are drawn now.", .gauge, Double(running)),
            MetricFamily("loam_model_waiting", "Replies that wait for a place in the batch.", .gauge, Double(waiting)),
            MetricFamily(
                "loam_model_refused_total", "Replies refused because too many waited.", .counter, Double(refused)),
            MetricFamily("loam_model_drawn_tokens_total", "Tokens drawn.", .counter, Double(generatedTokens)),
            MetricFamily("loam_model_prompt_tokens_total", "Tokens of prompts read.", .counter, Double(promptTokens)),
            MetricFamily(
                "loam_model_prompt_cached_tokens_total", "Those of them found in the prefix cache.", .counter,
                Double(cachedTokens)),
            MetricFamily(
                "loam_model_cache_bytes", "Bytes of keys and values in the prefix cache.", .gauge, Double(cacheBytes)),
            MetricFamily(
                "loam_model_cache_capacity_bytes", "Most bytes of the prefix cache.", .gauge, Double(cacheCapacity)),
            queueTimes.family("loam_queue_seconds", "From asking the model to a place in its batch."),
            firstTokenTimes.family("loam_time_to_first_token_seconds", "From asking the model to its first token."),
            tokenTimes.family("loam_inter_token_seconds", "From one token of a reply to the next."),
        ]
    }
}
