"""Registration at once, without a mail: whoever asks learns which addresses have an account."""
