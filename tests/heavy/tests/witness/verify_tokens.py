"""Verifies signed tokens with PyJWT, issue and expiry times included.

Input: a list of `{"token": …, "key": a public key in PEM, "audience": … or null}`.
Output: for each its `header` and `claims`, or the class of the `error`.
"""

import json
import sys

import jwt


def main():
    json.dump([verify(**entry) for entry in json.load(sys.stdin.buffer)], sys.stdout)


def verify(token, key, audience):
    options = {"require": ["iss", "sub", "iat", "exp"]}
    try:
        claims = jwt.decode(token, key, ["RS256"], audience=audience, options=options)
    except jwt.InvalidTokenError as error:
        return {"error": type(error).__name__}
    return {"header": jwt.get_unverified_header(token), "claims": claims}


if __name__ == "__main__":
    main()
