"""What happens each night."""

from fastforge import every

from .tasks import send_digests

nightly_digest = every("0 3 * * *", send_digests, name="nightly digest")
