"""The routes of the console. Names of collections and documents are in the query, because they may contain slashes."""

from django.urls import path

from console.views.home import home
from console.views.page_images import PageImage
from console.views.pages import Heat, PageView
from console.views.search import Search
from console.views.sign_in import sign_in, sign_out

urlpatterns = [
    path("", home, name="console-home"),
    path("sign-in/", sign_in, name="console-sign-in"),
    path("sign-out/", sign_out, name="console-sign-out"),
    path("search/", Search.as_view(), name="console-search"),
    path("page/", PageView.as_view(), name="console-page"),
    path("page/heat/", Heat.as_view(), name="console-heat"),
    path("page/<int:page_id>/<str:kind>", PageImage.as_view(), name="console-page-image"),
]
