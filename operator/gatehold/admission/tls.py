"""One TLS context for the life of the server: a new certificate is loaded into it, and no connection notices."""

import os
import ssl

from gatehold.admission.certificates import CertificateError, Pair


def new_context(pair: Pair) -> ssl.SSLContext:
    """Make a server's context. Raises CertificateError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    load(context, pair)
    return context


def load(context: ssl.SSLContext, pair: Pair) -> None:
    """Use this pair from the next handshake on. Raises CertificateError, and then nothing has changed.

    A pair that does not fit would leave the context without a key, so it is tried on another one first.
    """
    _load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), pair)
    _load(context, pair)


def _load(context: ssl.SSLContext, pair: Pair) -> None:
    """`ssl` reads files only: this one is in memory, and gone at once. A key never touches a disk."""
    handle = os.memfd_create("gatehold-webhook")
    try:
        content = memoryview(pair.key.rstrip() + b"\n" + pair.certificate)
        while content:
            content = content[os.write(handle, content) :]
        context.load_cert_chain(f"/proc/self/fd/{handle}", password="")  # else an encrypted key would ask the terminal
    except (ssl.SSLError, OSError) as error:
        raise CertificateError("a certificate and a key that do not go together") from error
    finally:
        os.close(handle)
