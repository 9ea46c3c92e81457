"""What can be done when a destination does not take a message: from what it answered, or why it could not be asked."""

from __future__ import annotations

import smtplib
import socket
import ssl
from http import HTTPStatus

_ADDRESS = "Compare the address with the one that was given out, or have a new one made there."


def after_answer(status: int) -> str:
    """For the status of a web server's answer."""
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        return f"Nothing takes messages at this address (any more). {_ADDRESS}"
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return f"It does not know the secret in the address, or the user. {_ADDRESS}"
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return "The address is a page to look at: give the one that messages are sent to by POST."
    if 300 <= status < 400:
        return "It has moved: give the address that it leads to."
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= 500:
        return "It cannot take messages just now: try again later. The service sends alerts again until they are taken."
    return "It does not take JSON in the form in which alerts are sent: look there for what it takes."


def after_mail_answer(status: int) -> str:
    """For the status of a mail server's answer."""
    if status in {530, 534, 535, 538}:
        return "Check the user and the password; some servers want a password of its own for each program."
    if status in {550, 551, 553, 501}:
        return "Check the addresses of sender and receivers; many servers send for their own users alone."
    if 400 <= status < 500:
        return "It cannot take mail just now: try again later. The service sends alerts again until they are taken."
    return "Ask who looks after the mail server."


def after_fault(error: BaseException) -> str:
    """For what kept the destination from being asked."""
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "The server has no STARTTLS, or asks for no user, at this port: choose another encryption or port."
    if isinstance(error, ssl.SSLCertVerificationError):
        return "Give the host by the name that its certificate has; have this machine trust who issued it."
    if isinstance(error, ssl.SSLError):
        return "It does not speak TLS like this at that port: choose another encryption or port."
    if isinstance(error, socket.gaierror):
        return "Check how the host is spelled, and that this machine is connected to the network."
    if isinstance(error, ConnectionRefusedError):
        return "Nothing listens there: check host and port."
    if isinstance(error, TimeoutError):
        return "Check host and port, and whether a firewall or a proxy stands between."
    return "Check the address."
