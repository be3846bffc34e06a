"""People with passwords, who sign in with them."""

from redis import Redis

from accounts.models import CustomUser
from accounts.ownership import managing_users
from tests.console.browser import Browser
from tests.environment import Services

PASSWORD = "a-password-of-the-tests"


def person(email: str = "dana@example.com", *, password: str | None = PASSWORD) -> CustomUser:
    with managing_users():
        return CustomUser.objects.create_user(email, password=password)


def browser_of(user: CustomUser) -> Browser:
    """Return a browser in which this user has signed in with the password."""
    browser = Browser()
    assert browser.sign_in(user.email, PASSWORD).status_code == 302
    return browser


def forget_attempts(services: Services) -> None:
    """Refill the budgets of attempts."""
    redis = Redis.from_url(services.redis_superuser_url)
    for key in redis.scan_iter("paliapi:rate:login:*"):
        redis.delete(key)
