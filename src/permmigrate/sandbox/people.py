"""The people of the imaginary company: names from many scripts, and the awkward ones on purpose.

Nobody here exists. It makes values only; which groups and shares they have is decided elsewhere.
"""

from __future__ import annotations

from random import Random
from typing import Final, NamedTuple

from permmigrate.sandbox.context import stable_id
from permmigrate.sandbox.state import User

DAY: Final = 86_400

NAMES: Final = (
    ("Amelia", "Whitcombe", "amelia.whitcombe"),
    ("Jürgen", "Weißmüller", "juergen.weissmueller"),
    ("Siobhán", "Ó Dálaigh", "siobhan.odalaigh"),
    ("Łukasz", "Dąbrowski", "lukasz.dabrowski"),
    ("Nguyễn Thị", "Minh Khai", "minhkhai.nguyen"),
    ("Þórdís", "Guðmundsdóttir", "thordis.gudmundsdottir"),
    ("João", "Gonçalves", "joao.goncalves"),
    ("Şebnem", "Işıklar", "sebnem.isiklar"),
    ("Zoë", "van der Berg", "zoe.vanderberg"),
    ("Chukwuemeka", "Okonkwo-Adébáyọ̀", "chukwuemeka.okonkwo"),
    ("مريم", "الحداد", "maryam.alhaddad"),
    ("يوسف", "بن سالم", "yousef.bensalem"),
    ("نرگس", "حسینی", "narges.hosseini"),
    ("יעל", "בן־דוד", "yael.bendavid"),
    ("אורי", "שפירא", "uri.shapira"),
    ("美玲", "陳", "meiling.chen"),
    ("伟", "王", "wei.wang"),
    ("さくら", "田中", "sakura.tanaka"),
    ("健太郎", "長谷川", "kentaro.hasegawa"),
    ("지우", "김", "jiwoo.kim"),
    ("민준", "남궁", "minjun.namgung"),
    ("Анастасия", "Вознесенская", "anastasia.voznesenskaya"),
    ("Дмитро", "Шевченко", "dmytro.shevchenko"),
    ("Милош", "Јовановић", "milos.jovanovic"),
    ("अनन्या", "श्रीवास्तव", "ananya.srivastava"),
    ("राजेश", "कुमार", "rajesh.kumar"),
    ("தமிழ்ச்செல்வி", "முருகன்", "tamilselvi.murugan"),
    ("নুসরাত", "চৌধুরী", "nusrat.chowdhury"),
    ("สมชาย", "ศรีสวัสดิ์", "somchai.srisawat"),
    ("Ελένη", "Παπαδοπούλου", "eleni.papadopoulou"),
    ("ნინო", "ბერიძე", "nino.beridze"),
    ("Անի", "Հարությունյան", "ani.harutyunyan"),
    ("ሰላም", "ተስፋዬ", "selam.tesfaye"),
    ("Mary-Jane", "O'Neill-Smythe", "maryjane.oneill"),
    ("Bo", "Li", "bo.li"),
    ("Keoni", "Kahananui", "keoni.kahananui"),
)
LONG: Final = (
    "María de los Ángeles Concepción del Rosario",
    "Fernández-Villaverde y Gutiérrez de Arteaga-Montmorency, Marquesa de la Torre de los Vientos",
)
FORMULA: Final = '=HYPERLINK("http://evil.example","x")'
IMAGE: Final = "<img src=x onerror=alert(1)>"
SCRIPT: Final = "</script><script>alert(1)</script>"
CONTROLS: Final = "Ro\u0007bin\u000b \u202egnirts\u202c \u200bZero\u0000"
DOMAINS: Final = ("meridianmedia.example", "northlight-agency.example", "studio-vento.example")


class Awkward(NamedTuple):
    """One of the first users of every account, there for a reason."""

    role: str
    limited_to: tuple[int, ...] | None = None
    """Numbers of the environments the user is limited to."""
    enabled: bool = True
    pending: bool = False
    root: bool = False
    technical_role: str | None = None
    idle_years: float = 0.05
    """Years since the last login; negative for never."""
    name: tuple[str, str] | None = None
    ungrouped: bool = False
    """In no group, whatever else happens."""


AWKWARD: Final = (
    Awkward("master_admin", root=True),
    Awkward("master_admin", name=("مريم", "الحداد")),
    Awkward("master_admin", idle_years=2.5, name=("美玲", "陳")),
    Awkward("admin"),
    Awkward("admin", limited_to=(0,)),
    Awkward("admin", enabled=False, idle_years=3.1),
    Awkward("technical_admin"),
    Awkward("technical_admin", limited_to=(1,)),
    Awkward("billing", name=("राजेश", "कुमार")),
    Awkward("billing", ungrouped=True),
    Awkward("reports", name=("Анастасия", "Вознесенская")),
    Awkward("reports", limited_to=(1,)),
    Awkward("media_library_admin"),
    Awkward("media_library_admin", limited_to=(0,)),
    Awkward("media_library_user", limited_to=(0,)),
    Awkward("media_library_user", limited_to=(1,), technical_role="technical_admin"),
    Awkward("media_library_user", pending=True, idle_years=-1),
    Awkward("media_library_admin", pending=True, enabled=False, idle_years=-1),
    Awkward("media_library_user", enabled=False, idle_years=1.4),
    Awkward("", idle_years=0.3),
    Awkward("content_curator", idle_years=0.2),
    Awkward("media_library_user", name=(FORMULA, "")),
    Awkward("media_library_user", name=(IMAGE, "Img")),
    Awkward("media_library_user", name=(SCRIPT, "Script")),
    Awkward("media_library_user", name=(CONTROLS, "Control")),
    Awkward("media_library_user", name=LONG),
    Awkward("media_library_user", ungrouped=True, idle_years=4.0),
    Awkward("media_library_user", technical_role="technical_admin"),
)
ROLE_WEIGHTS: Final = (
    ("media_library_user", 87.0),
    ("media_library_admin", 5.0),
    ("technical_admin", 3.0),
    ("reports", 2.5),
    ("admin", 1.5),
    ("billing", 1.0),
)
"""The roles of the many others; there are never more master admins than the awkward ones."""


def users(seed: int, number: int, environment_ids: list[str], now: int) -> list[User]:
    """That many users, oldest first: the awkward ones, then ordinary ones."""
    random = Random(f"{seed}/users")
    found = [_awkward(seed, n, case, environment_ids, now) for n, case in enumerate(AWKWARD[:number])]
    names, weights = [role for role, _ in ROLE_WEIGHTS], [weight for _, weight in ROLE_WEIGHTS]
    for n in range(len(found), number):
        first, last, _ = NAMES[n % len(NAMES)] if n < 2 * len(NAMES) else random.choice(NAMES)
        limited = None
        if random.random() < 0.06:
            limited = [random.choice(environment_ids)]
        state = random.random()
        case = Awkward(
            random.choices(names, weights)[0],
            enabled=state >= 0.03,
            pending=0.03 <= state < 0.05,
            idle_years=-1 if 0.03 <= state < 0.05 else random.choice((0.01, 0.02, 0.1, 0.4, 1.2)),
            name=(first, last),
        )
        user = _awkward(seed, n, case, environment_ids, now)
        user.environment_ids = limited
        found.append(user)
    return found


def is_ungrouped(number: int) -> bool:
    """Whether the user of that number stays in no group."""
    return number < len(AWKWARD) and AWKWARD[number].ungrouped


def _awkward(seed: int, number: int, case: Awkward, environment_ids: list[str], now: int) -> User:
    first, last, local = NAMES[number % len(NAMES)]
    if case.name is not None:
        first, last = case.name
        local = next((local for *both, local in NAMES if tuple(both) == case.name), f"person{number}")
    domain = DOMAINS[0] if number % 7 else DOMAINS[1 + number % 2]
    suffix = "" if number < len(AWKWARD) and local != f"person{number}" else f".{number}"
    email = f"{local}{suffix}@{domain}"
    created = now - (9 * 365 - number % 2900) * DAY - number * 977 % DAY
    seen = (
        None
        if case.idle_years < 0
        else max(created, now - int(case.idle_years * 365 * DAY) - number * 613 % DAY)
    )
    return User(
        id=stable_id(seed, "user", number),
        first_name=first,
        last_name=last,
        name=f"{first} {last}".strip(),
        email=email.title() if number == 3 else email,
        role=case.role,
        created_at=created,
        updated_at=max(created, now - (number * 131 % 700) * DAY),
        last_login=seen,
        enabled=case.enabled,
        pending=case.pending,
        environment_ids=[environment_ids[n] for n in case.limited_to] if case.limited_to else None,
        root=case.root,
        technical_role=case.technical_role,
        providers=("saml",) if number % 3 == 0 else ("password",),
        two_factor=number % 5 == 0,
    )
