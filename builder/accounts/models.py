"""People and the boundaries of access. Every write goes through `services.py`, every check through `rights.py`."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac

from builder.accounts.ids import new_id


class Role(models.TextChoices):
    """The four roles, from the one who looks to the one who rules."""

    VIEWER = "viewer", "Viewer"
    REVIEWER = "reviewer", "Reviewer"
    BUILDER = "builder", "Builder"
    ADMIN = "admin", "Admin"


class StartPage(models.TextChoices):
    """Where a person begins."""

    HOME = "home", "Home"
    INBOX = "inbox", "Inbox"
    RUNS = "runs", "Runs"
    WORKFLOWS = "workflows", "Workflows"
    MONITOR = "monitor", "Monitor"


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str, **fields: Any) -> User:
        """A person with a hashed password; the e-mail address is kept in small letters, as it signs in."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser):
    """A person. Signs in by e-mail address; may belong to any number of workspaces."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.CharField(max_length=254, unique=True)
    name = models.CharField(max_length=120)
    theme = models.CharField(
        max_length=8, default="system", choices=[("system", "system"), ("light", "light"), ("dark", "dark")]
    )
    language = models.CharField(max_length=12, default="", blank=True)
    #: For so long a decision in the inbox can be taken back; 0: it takes effect at once.
    undo_seconds = models.PositiveSmallIntegerField(default=8, db_default=8)
    #: Where signing in and the logo lead. A page that is not theirs to see where they are leads to Home.
    start_page = models.CharField(
        max_length=12, default=StartPage.HOME, db_default=StartPage.HOME, choices=StartPage.choices
    )
    #: May make workspaces. The person who set the instance up is the first.
    is_instance_admin = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    #: Raised to end every session of this person at once.
    session_generation = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    objects = UserManager()

    def get_session_auth_hash(self) -> str:
        """Changes with the password and with `session_generation`, so either ends all sessions."""
        key_salt = "builder.accounts.models.User.session"
        return salted_hmac(key_salt, f"{self.session_generation}:{self.password}", algorithm="sha256").hexdigest()

    def get_session_auth_fallback_hash(self) -> Any:
        return iter(())

    def __str__(self) -> str:
        return self.email


class SecondFactor(models.Model):
    """A person's authenticator app, which signing in asks for as well as the password. Its key is sealed as those of
    connections are (`builder.connections.factors`)."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="second_factor")
    sealed = models.TextField()
    #: The id of the key that sealed it, so that rotation finds what is left to do.
    key_id = models.CharField(max_length=32, db_index=True)
    #: The time step (of 30 s) of the code that was taken last: none is taken twice.
    last_step = models.BigIntegerField(default=0)
    #: Digests of the recovery codes that are left.
    recovery = models.JSONField(default=list)
    since = models.DateTimeField()

    def __str__(self) -> str:
        return f"of {self.user_id}"


class Workspace(models.Model):
    """The people and things that share a boundary of access."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=120)
    language = models.CharField(max_length=12, default="en")
    time_zone = models.CharField(max_length=64, default="UTC")
    currency = models.CharField(max_length=3, default="EUR")
    #: Names of fields whose values nobody is shown unasked; see `builder.api.sensitive`.
    sensitive_fields = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """One person's role in one workspace."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices)
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "workspace"], name="membership_once"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} is {self.role} of {self.workspace_id}"


class Group(models.Model):
    """Members who are asked together. It is found by its name and by those it had before, so that renaming it breaks no
    workflow; `key` is the name as it is compared."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="groups")
    name = models.CharField(max_length=80)
    key = models.CharField(max_length=160)
    former_keys = models.JSONField(default=list)
    members = models.ManyToManyField(Membership, related_name="groups")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "key"], name="group_once_per_name")]

    def __str__(self) -> str:
        return self.name


class Absence(models.Model):
    """That a member is away, from `first_day` to `last_day` in the time zone of the workspace, both of them included;
    without a last day until they say that they are back. `stand_in`: who sees their questions meanwhile; NULL where
    that person has left. A member has at most one, which may be over."""

    member = models.OneToOneField(Membership, on_delete=models.CASCADE, primary_key=True, related_name="absence")
    first_day = models.DateField()
    last_day = models.DateField(null=True)
    stand_in = models.ForeignKey(Membership, on_delete=models.SET_NULL, null=True, related_name="stands_in")
    note = models.CharField(max_length=400, default="")

    def __str__(self) -> str:
        return f"{self.member_id} is away from {self.first_day}"


class Invitation(models.Model):
    """An offer of a role, good once, for one e-mail address, until it expires. The token is kept as a digest."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    email = models.CharField(max_length=254)
    role = models.CharField(max_length=10, choices=Role.choices)
    token_sha256 = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.email} as {self.role}"


class ApiToken(models.Model):
    """A program's key to one workspace: acts as the person who made it, narrowed to its scopes, until it expires."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=120)
    scopes = models.JSONField(default=list)
    token_sha256 = models.CharField(max_length=64, unique=True)
    last_four = models.CharField(max_length=4)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    #: The one that was made in its place; until this one expires, both are accepted.
    replaced_by = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="replaces")

    def __str__(self) -> str:
        return f"{self.name} (…{self.last_four})"


class Setup(models.Model):
    """The one first-run link: a single row, used at most once."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    token_sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="setup_one_row")]

    def __str__(self) -> str:
        return "used" if self.used_at else "open"


class SignInTries(models.Model):
    """Failed sign-ins of one account or one address within a window; the key is a digest, never the address."""

    key = models.CharField(primary_key=True, max_length=64)
    count = models.PositiveIntegerField(default=0)
    window_started_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.count} tries"
