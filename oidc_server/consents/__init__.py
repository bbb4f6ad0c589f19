"""What people allowed apps, remembered per account and client until they take it back. OIDC Core §3.1.2.4, ASVS 10.7.3.

Endpoints: none. Taking a consent back is only half of removing an app: the token families end in tokens.families.
"""

from __future__ import annotations

from .models import Consent
from .store import covers, list_for, remember, remove, remove_all

__all__ = ["Consent", "covers", "list_for", "remember", "remove", "remove_all"]
