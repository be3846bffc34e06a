from pathlib import Path
from xml.etree import ElementTree

from collections_app.engine.rendering import soffice_profile

OOR = "{http://openoffice.org/2001/registry}"


def settings_in(folder: Path) -> dict[tuple[str, str], str | None]:
    soffice_profile.write(folder)
    root = ElementTree.parse(folder / "user" / "registrymodifications.xcu").getroot()  # noqa: S314 - written just now
    return {
        (item.attrib[f"{OOR}path"].rpartition("/")[2], item[0].attrib[f"{OOR}name"]): item[0].findtext("value")
        for item in root
    }


def test_the_profile_is_well_formed_and_disables_macros_and_links(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "profile")
    assert settings["Scripting", "DisableMacrosExecution"] == "true"
    assert settings["Scripting", "BlockUntrustedRefererLinks"] == "true"
    assert settings["Scripting", "DisableActiveContent"] == "true"
    assert settings["Update", "Link"] == "2"


def test_every_setting_is_in_the_profile(tmp_path: Path) -> None:
    soffice_profile.write(tmp_path / "profile")
    written = (tmp_path / "profile" / "user" / "registrymodifications.xcu").read_text(encoding="utf-8")
    assert written.count("<item ") == len(soffice_profile._SETTINGS)
