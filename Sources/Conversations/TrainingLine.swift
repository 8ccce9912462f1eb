/// Lines of data sets as trainers read them: TRL's types and OpenAI's fine-tuning lines, conversational form.
public enum TrainingLine {
    /// TRL language modeling: `{"messages": […]}`, the reply last.
    public static func languageModeling(_ context: [Turn], reply: String) -> String {
        line { out in
            out.key("messages")
            messages(context, reply, into: &out)
        }
    }

    /// TRL prompt-completion: `{"prompt": […], "completion": […]}`.
    public static func promptCompletion(_ context: [Turn], reply: String) -> String {
        line { out in
            prompt(context, into: &out)
            out.key("completion")
            messages([], reply, into: &out)
        }
    }

    /// TRL unpaired preference (KTO): `{"prompt": […], "completion": […], "label": bool}`.
    public static func unpaired(_ context: [Turn], reply: String, isGood: Bool) -> String {
        line { out in
            prompt(context, into: &out)
            out.key("completion")
            messages([], reply, into: &out)
            out.field("label", isGood)
        }
    }

    /// TRL explicit preference (DPO, reward): `{"prompt": […], "chosen": […], "rejected": […]}`.
    public static func preference(_ pair: ReplyPair) -> String {
        line { out in
            prompt(pair.context, into: &out)
            out.key("chosen")
            messages([], pair.chosen, into: &out)
            out.key("rejected")
            messages([], pair.rejected, into: &out)
        }
    }

    /// OpenAI supervised: earlier replies are context only (`weight` 0).
    public static func openAISupervised(_ context: [Turn], reply: String) -> String {
        line { out in
            out.key("messages")
            out.array { out in
                for turn in context { message(turn, weight: turn.sender == .bot ? 0 : nil, into: &out) }
                message(Turn(.bot, reply), weight: 1, into: &out)
            }
        }
    }

    /// OpenAI preference: `{"input": {"messages": […]}, "preferred_output": […], "non_preferred_output": […]}`.
    public static func openAIPreference(_ pair: ReplyPair) -> String {
        line { out in
            out.key("input")
            out.object { out in
                out.key("messages")
                out.array { out in
                    for turn in pair.context { message(turn, weight: nil, into: &out) }
                }
            }
            out.key("preferred_output")
            messages([], pair.chosen, into: &out)
            out.key("non_preferred_output")
            messages([], pair.rejected, into: &out)
        }
    }

    private static func line(_ body: (inout JSONWriter) -> Void) -> String {
        var out = JSONWriter()
        out.object(body)
        return String(decoding: out.bytes, as: UTF8.self)
    }

    private static func prompt(_ context: [Turn], into out: inout JSONWriter) {
        out.key("prompt")
        out.array { out in
            for turn in context { message(turn, weight: nil, into: &out) }
        }
    }

    private static func messages(_ context: [Turn], _ reply: String, into out: inout JSONWriter) {
        out.array { out in
            for turn in context { message(turn, weight: nil, into: &out) }
            message(Turn(.bot, reply), weight: nil, into: &out)
        }
    }

    private static func message(_ turn: Turn, weight: Int?, into out: inout JSONWriter) {
        out.object { out in
            out.field("role", turn.sender == .bot ? "assistant" : "user")
            out.field("content", turn.text)
            if let weight { out.field("weight", Double(weight)) }
        }
    }
}
