"""The checksums that S3 knows, and bodies in chunks that carry them behind."""

import base64
import hashlib
import zlib

from awscrt import checksums as crt

ALGORITHMS = {
    "CRC32": lambda data: zlib.crc32(data).to_bytes(4, "big"),
    "CRC32C": lambda data: crt.crc32c(data).to_bytes(4, "big"),
    "CRC64NVME": lambda data: crt.crc64nvme(data).to_bytes(8, "big"),
    "SHA1": lambda data: hashlib.sha1(data, usedforsecurity=False).digest(),
    "SHA256": lambda data: hashlib.sha256(data).digest(),
}

UNSIGNED = "UNSIGNED-PAYLOAD"
STREAMED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
STREAMED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"


def base64_of(data):
    return base64.b64encode(data).decode()


def md5(data):
    return base64_of(hashlib.md5(data, usedforsecurity=False).digest())


def checksum(algorithm, data):
    return base64_of(ALGORITHMS[algorithm](data))


def header(algorithm):
    return f"x-amz-checksum-{algorithm.lower()}"


def chunked(body, size=64 * 1024, trailers=None):
    """`aws-chunked`, without signatures."""
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return chunks + b"0\r\n" + lines(trailers) + b"\r\n"


def lines(trailers):
    return b"".join(f"{name}:{value}\r\n".encode() for name, value in (trailers or {}).items())


def signed_chunks(signed, body, size=64 * 1024, trailers=None):
    """`aws-chunked`, each chunk signed on top of the one before, and so the trailers."""
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    chunks = [b"%x;chunk-signature=%s\r\n%s\r\n" % (len(p), signed.next_signature(p).encode(), p) for p in pieces]
    chunks.append(b"0;chunk-signature=%s\r\n" % signed.next_signature(b"").encode())
    if trailers:
        text = "".join(f"{name}:{value}\n" for name, value in trailers.items()).encode()
        chunks += [lines(trailers), b"x-amz-trailer-signature:%s\r\n" % signed.trailer_signature(text).encode()]
    return b"".join(chunks) + b"\r\n"


def headers_of_chunks(length, trailers=()):
    """What announces a body in chunks whose content has this length."""
    headers = {"Content-Encoding": "aws-chunked", "X-Amz-Decoded-Content-Length": str(length)}
    return headers | ({"X-Amz-Trailer": ",".join(trailers)} if trailers else {})
