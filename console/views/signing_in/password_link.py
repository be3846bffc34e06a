"""Setting a password with a link that works once: for people who are invited, or have forgotten theirs."""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.browsers.forms import MAX_PASSWORD_LENGTH
from accounts.models import CustomUser
from accounts.sign_in_links import LinkNotValid, email_of_link, set_password_by_link


@require_http_methods(["GET", "HEAD", "POST"])
def password_link(request: HttpRequest) -> HttpResponse:
    """Show the form of the user that the link is for; set the password, and lead to the page for signing in."""
    token = request.POST.get("token", "") if request.method == "POST" else request.GET.get("token", "")
    try:
        email = email_of_link(token, sets_password=True)
        if request.method == "POST":
            password, again = (request.POST.get(name, "") for name in ("password1", "password2"))
            problems = _problems(email, password, again)
            if not problems:
                set_password_by_link(token, password)
                return redirect("console-sign-in")
        else:
            problems = []
    except LinkNotValid as problem:
        return render(request, "console/password_link.html", {"problem": problem.title}, status=403)
    return render(request, "console/password_link.html", {"token": token, "email": email, "problems": problems})


def _problems(email: str, password: str, again: str) -> list[str]:
    if password != again:
        return ["These are two different passwords; type the same one twice."]
    if len(password) > MAX_PASSWORD_LENGTH or "\0" in password:
        return [f"A password has at most {MAX_PASSWORD_LENGTH} characters."]
    try:
        validate_password(password, CustomUser(email=email))
    except ValidationError as error:
        return list(error.messages)
    return []
