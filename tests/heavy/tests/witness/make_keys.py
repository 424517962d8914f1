"""Makes an RSA key: `{"bits": 2048}` in, its three PEM forms out."""

import json
import sys

from cryptography.hazmat.primitives import serialization as pem
from cryptography.hazmat.primitives.asymmetric import rsa


def main():
    bits = json.load(sys.stdin.buffer)["bits"]
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    public = key.public_key()
    keys = {
        "pkcs1": private_bytes(key, pem.PrivateFormat.TraditionalOpenSSL),
        "pkcs8": private_bytes(key, pem.PrivateFormat.PKCS8),
        "public": public.public_bytes(pem.Encoding.PEM, pem.PublicFormat.SubjectPublicKeyInfo),
    }
    json.dump({name: text.decode() for name, text in keys.items()}, sys.stdout)


def private_bytes(key, form):
    return key.private_bytes(pem.Encoding.PEM, form, pem.NoEncryption())


if __name__ == "__main__":
    main()
