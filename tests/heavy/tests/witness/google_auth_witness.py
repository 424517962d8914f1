"""Gets operations with the credentials of google-auth, and tells what came of it.

Input: `{"server": "http://127.0.0.1:80", "environment": {…}, "cases": [{"name": …, …}, …]}`.
Output: for each case the status of the answer, or the error. The requests are in the log of the server.
"""

import json
import os
import sys
import warnings


def main():
    order = json.load(sys.stdin.buffer)
    os.environ.update(order["environment"])  # Before the imports: google-auth reads some of it there.
    warnings.simplefilter("ignore")
    json.dump([perform(order["server"], **case) for case in order["cases"]], sys.stdout)


def perform(server, name, **case):
    from google.auth.exceptions import GoogleAuthError
    from google.auth.transport.requests import AuthorizedSession

    try:
        credentials = load(**case)
        session = AuthorizedSession(
            credentials, auth_request=local(server), default_host=case.get("default_host")
        )
        return {"status": session.get(f"{server}/v1/operations/{name}", timeout=30).status_code}
    except GoogleAuthError as error:
        return {"error": repr(error)}


def load(file=None, scopes=None, self_signed=False, subject=None, default_host=None):
    from google import auth
    from google.auth import compute_engine

    if file is None:
        return compute_engine.Credentials(scopes=scopes)
    if file["type"] == "external_account":  # With scopes, loading looks for the project, elsewhere.
        credentials = auth.load_credentials_from_dict(file)[0].with_scopes(scopes)
    else:
        credentials, _ = auth.load_credentials_from_dict(file, scopes=scopes)
    if self_signed:
        credentials = credentials.with_always_use_jwt_access(True)
    return credentials.with_subject(subject) if subject else credentials


def local(server):
    """Makes token requests of this server only; google-auth has two hosts of its own, whatever the file says."""
    from google.auth.exceptions import TransportError
    from google.auth.transport.requests import Request

    request = Request()

    def send(url, *arguments, **options):
        for fixed in "https://oauth2.googleapis.com", "https://iamcredentials.googleapis.com":
            url = url.replace(fixed, server)
        if not url.startswith(server):
            raise TransportError(f"{url} is elsewhere")
        return request(url, *arguments, **options)

    return send


if __name__ == "__main__":
    main()
