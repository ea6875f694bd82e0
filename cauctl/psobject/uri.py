"""stub"""


def canonical_uri(text: str) -> str:
    return text
