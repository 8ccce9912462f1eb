"""What the people in these loads say."""
openings = [
    "Hello, I am {name} and I live by the river.", "Good morning! {name} here. What do hares eat?",
    "My name is {name}. Can you tell me about the sea?", "Hi, {name} speaking. I like walking in the rain.",
]
remarks = [
    "What do you think of it?", "Tell me more, please.", "Do you like music?", "What should I cook tonight?", "I had a long day.",
    "Where would you go in spring?", "Why is that?", "That is nice to hear.",
]


def opening(dice):
    name = "".join(dice.choice(pair) for pair in ("BDFKLMNRST", "aeiou", "bdklmnrst", "aeiou"))
    return dice.choice(openings).format(name=name)


def said(index, dice):
    """A person's message number `index` of a conversation."""
    return {"role": "user", "content": dice.choice(remarks) if index else opening(dice)}
