"""Signs what this installation has made: the builder's half of `runtime.ports.Seal`.

Ed25519, with a key worked out from the installation's secret: every process has the same one, and none is stored. A
changed SECRET_KEY is another key; what was signed before is genuine no more to this installation, and the public key
that its manifests were handed over with still tells.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from functools import cached_property
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

ALGORITHM: Final = "ed25519"


class Signer:
    """Signs with the key of this secret."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    @cached_property
    def _key(self) -> Ed25519PrivateKey:
        seed = HKDF(SHA256(), 32, salt=None, info=b"millrace manifests, version 1").derive(self._secret.encode())
        return Ed25519PrivateKey.from_private_bytes(seed)

    @cached_property
    def public_key(self) -> str:
        """The public key, base64 of its 32 bytes."""
        return base64.b64encode(self._key.public_key().public_bytes_raw()).decode()

    @cached_property
    def key_id(self) -> str:
        """Names the key in what it signed: the first digits of the public key's digest."""
        return hashlib.sha256(base64.b64decode(self.public_key)).hexdigest()[:16]

    def sign(self, text: str) -> dict[str, str]:
        signature = base64.b64encode(self._key.sign(text.encode("ascii"))).decode()
        return {"algorithm": ALGORITHM, "key": self.key_id, "signature": signature}

    def is_genuine(self, text: str, signature: object) -> bool:
        if not isinstance(signature, dict) or signature.get("algorithm") != ALGORITHM:
            return False
        try:
            raw = base64.b64decode(str(signature.get("signature")), validate=True)
            self._key.public_key().verify(raw, text.encode("ascii"))
        except (InvalidSignature, binascii.Error, ValueError):
            return False
        return signature.get("key") == self.key_id
