"""`python -m services.common.healthcheck gateway`: is the service on this machine ready?

For the `HEALTHCHECK` of the images, which have no curl. Exits with 0 when it is and 1 otherwise.
"""

import http.client
import os
import sys

TIMEOUT_S = 4.0


def ready(service: str) -> bool:
    """Asks `/health/ready` on the port of `OKO_<SERVICE>_PORT`, which the image sets."""
    port = int(os.environ[f"OKO_{service.upper()}_PORT"])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if ready(sys.argv[1]) else 1)
