"""Ways in which a file on disk is not what was written."""


def flip(path, place=0.5):
    """Flip one bit, at `place` of the file's length."""
    content = bytearray(path.read_bytes())
    content[int(len(content) * place)] ^= 1
    path.write_bytes(content)
    return path


def halve(path):
    """Cut the file in the middle."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path
