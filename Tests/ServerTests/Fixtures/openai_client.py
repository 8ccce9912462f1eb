"""Talks to a server of the tests through OpenAI's own client. Arguments: base URL, key."""
import sys

import openai

base, key = sys.argv[1:]
client = openai.OpenAI(base_url=base, api_key=key, max_retries=0, timeout=20)
hello = [{"role": "user", "content": "hi"}]

# Models.
assert [m.id for m in client.models.list()] == ["scripted-1", "loam", "letters", "loam-safety", "length"]
assert client.models.retrieve("letters").object == "model"

# Chats, whole.
answer = client.chat.completions.create(model="scripted-1", messages=hello, n=2, seed=1, user="ann", store=True)
assert answer.object == "chat.completion" and len(answer.choices) == 2
assert answer.choices[0].message.content == "You said “hi”." and answer.choices[0].message.role == "assistant"
assert answer.choices[0].finish_reason == "stop" and answer.choices[0].message.refusal is None
assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
assert answer._request_id

# Chats, streamed.
text, reasons, usage = "", [], None
with client.chat.completions.create(
    model="scripted-1", messages=hello, stream=True, stream_options={"include_usage": True}
) as stream:
    for chunk in stream:
        usage = chunk.usage or usage
        for choice in chunk.choices:
            text += choice.delta.content or ""
            reasons.append(choice.finish_reason)
assert text == "You said “hi”." and reasons[-1] == "stop" and usage.completion_tokens == 3

# The helper that gathers a stream.
with client.chat.completions.stream(model="scripted-1", messages=hello) as stream:
    final = stream.get_final_completion()
assert final.choices[0].message.content == "You said “hi”."

# Log-probabilities, stops, parts.
answer = client.chat.completions.create(
    model="scripted-1", messages=[{"role": "user", "content": [{"type": "text", "text": "hi"}]}], logprobs=True,
    top_logprobs=2, stop=["said"],
)
assert answer.choices[0].logprobs.content[0].token == "You" and len(answer.choices[0].logprobs.content[0].top_logprobs) == 2
assert answer.choices[0].message.content == "You "

# A stream that is left early.
stream = client.chat.completions.create(model="scripted-1", messages=[{"role": "user", "content": "long"}], stream=True)
next(iter(stream))
stream.close()

# Completions.
answer = client.completions.create(model="scripted-1", prompt=["one two", "three"], echo=True)
assert [c.text for c in answer.choices] == ["one two two one", "three three"]
assert "".join(
    c.text for chunk in client.completions.create(model="scripted-1", prompt="one two", stream=True) for c in chunk.choices
) == " two one"
answer = client.completions.create(model="scripted-1", prompt="one two", logprobs=1)
assert answer.choices[0].logprobs.tokens == [" two", " one"] and answer.choices[0].logprobs.text_offset == [0, 4]

# Embeddings: the client asks for Base64 by itself and unpacks it.
packed = client.embeddings.create(model="letters", input=["aab", "c"]).data
plain = client.embeddings.create(model="letters", input="aab", encoding_format="float").data[0].embedding
assert all(abs(a - b) < 1e-6 for a, b in zip(packed[0].embedding, plain)) and len(packed) == 2
assert len(client.embeddings.create(model="letters", input="aab", dimensions=2).data[0].embedding) == 2

# Moderations.
result = client.moderations.create(input="what a grumble").results[0]
assert result.flagged and result.categories.harassment and not result.categories.self_harm_intent
assert result.category_scores.harassment == 1 and result.category_applied_input_types.sexual == ["text"]
assert not client.moderations.create(model="omni-moderation-latest", input=["hello", "you"]).results[1].flagged


# Errors are raised as the client's own.
def raises(kind, call, code):
    try:
        call()
    except kind as error:
        assert error.code == code, error
        assert error.request_id
        return error
    raise AssertionError(f"no {kind.__name__}")


create = client.chat.completions.create
raises(openai.NotFoundError, lambda: create(model="none", messages=hello), "model_not_found")
error = raises(openai.BadRequestError, lambda: create(model="scripted-1", messages=hello, temperature=3), "invalid_value")
assert error.param == "temperature" and error.type == "invalid_request_error"
raises(
    openai.BadRequestError,
    lambda: create(model="scripted-1", messages=hello, tools=[{"type": "function", "function": {"name": "f"}}]),
    "unsupported_parameter",
)
stranger = openai.OpenAI(base_url=base, api_key="sk-wrong", max_retries=0)
raises(openai.AuthenticationError, lambda: stranger.models.list(), "invalid_api_key")
print("all is well")
