"""Addresses of people: the one form an e-mail address or a phone number is kept in.

The libraries are large and are imported where they are used.
"""

from dataclasses import dataclass

from vestnik.errors import Refused

NO_SMS = frozenset({"FIXED_LINE", "TOLL_FREE", "PREMIUM_RATE", "SHARED_COST", "UAN", "VOICEMAIL", "PAGER"})


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone number: `e164` as +359..., `kind` in libphonenumber's words (MOBILE, FIXED_LINE, ...)."""

    e164: str
    kind: str

    @property
    def takes_sms(self) -> bool:
        """Whether a text can arrive; where numbers do not tell (United States), it may."""
        return self.kind not in NO_SMS


def email(text: str) -> str:
    """An e-mail address in its kept form (domain in lower case and Unicode NFC). Raises Refused `bad-address`.

    Only the address: no display name, no comments, no quoted local part, no address literal (RFC 5322 allows them,
    RFC 5321 mail between shops and people does not use them). Nothing is looked up.
    """
    from email_validator import EmailNotValidError, validate_email

    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError as invalid:
        raise Refused(f"{text!r} is no e-mail address: {invalid}", code="bad-address", where="email") from None


def ascii_form(address: str) -> str:
    """An address with its domain in ASCII (IDNA 2008), as servers want it. ValueError where there is none."""
    local, _, domain = address.rpartition("@")
    if not domain.isascii():
        import idna

        domain = idna.encode(domain, uts46=True).decode()
    if not local.isascii():
        raise ValueError("a local part beyond ASCII needs SMTPUTF8")
    return f"{local}@{domain}"


def phone(text: str, country: str | None = None) -> Phone:
    """A phone number as people write it, read as in `country` (ISO 3166-1, two letters) unless it begins with +.

    Raises Refused `bad-number`.
    """
    import phonenumbers

    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException as invalid:
        raise _no_number(text, str(invalid)) from None
    if not phonenumbers.is_valid_number(number):
        raise _no_number(text, "no such number is given out")
    kind = phonenumbers.PhoneNumberType.to_string(phonenumbers.number_type(number))
    return Phone(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), kind)


def same_address(channel: str, address: str) -> str:
    """The form in which suppression compares: e-mail without regard to case and with its domain as servers name it
    (a bounce names it so), all else as it is."""
    plain = address.strip()
    if channel != "email":
        return plain
    try:
        return ascii_form(plain.lower())
    except (ValueError, UnicodeError):
        return plain.lower()


def _no_number(text: str, why: str) -> Refused:
    return Refused(f"{text!r} is no phone number: {why}", code="bad-number", where="phone")
