"""Places of birth and of life: the prefectures of France, the districts of its three largest cities, some countries.

Codes are the INSEE official geographic code (COG), which a birth certificate and the INS carry.
"""

from __future__ import annotations

from msgspec import Struct


class Commune(Struct, frozen=True):
    """A commune or a country of birth: `cog` is its INSEE code, `postal_code` is empty for a country."""

    cog: str
    name: str
    postal_code: str = ""


_PREFECTURES = """
01053|Bourg-en-Bresse|01000;02408|Laon|02000;03190|Moulins|03000;04070|Digne-les-Bains|04000;05061|Gap|05000;
06088|Nice|06000;07186|Privas|07000;08105|Charleville-Mézières|08000;09122|Foix|09000;10387|Troyes|10000;
11069|Carcassonne|11000;12202|Rodez|12000;14118|Caen|14000;15014|Aurillac|15000;16015|Angoulême|16000;
17300|La Rochelle|17000;18033|Bourges|18000;19272|Tulle|19000;21231|Dijon|21000;22278|Saint-Brieuc|22000;
23096|Guéret|23000;24322|Périgueux|24000;25056|Besançon|25000;26362|Valence|26000;27229|Évreux|27000;
28085|Chartres|28000;29232|Quimper|29000;2A004|Ajaccio|20000;2B033|Bastia|20200;30189|Nîmes|30000;
31555|Toulouse|31000;32013|Auch|32000;33063|Bordeaux|33000;34172|Montpellier|34000;35238|Rennes|35000;
36044|Châteauroux|36000;37261|Tours|37000;38185|Grenoble|38000;39300|Lons-le-Saunier|39000;
40192|Mont-de-Marsan|40000;41018|Blois|41000;42218|Saint-Étienne|42000;43157|Le Puy-en-Velay|43000;
44109|Nantes|44000;45234|Orléans|45000;46042|Cahors|46000;47001|Agen|47000;48095|Mende|48000;49007|Angers|49000;
50502|Saint-Lô|50000;51108|Châlons-en-Champagne|51000;52121|Chaumont|52000;53130|Laval|53000;54395|Nancy|54000;
55029|Bar-le-Duc|55000;56260|Vannes|56000;57463|Metz|57000;58194|Nevers|58000;59350|Lille|59000;
60057|Beauvais|60000;61001|Alençon|61000;62041|Arras|62000;63113|Clermont-Ferrand|63000;64445|Pau|64000;
65440|Tarbes|65000;66136|Perpignan|66000;67482|Strasbourg|67000;68066|Colmar|68000;70550|Vesoul|70000;
71270|Mâcon|71000;72181|Le Mans|72000;73065|Chambéry|73000;74010|Annecy|74000;76540|Rouen|76000;77288|Melun|77000;
79191|Niort|79000;80021|Amiens|80000;81004|Albi|81000;82121|Montauban|82000;83137|Toulon|83000;84007|Avignon|84000;
85191|La Roche-sur-Yon|85000;86194|Poitiers|86000;87085|Limoges|87000;88160|Épinal|88000;89024|Auxerre|89000;
90010|Belfort|90000;97105|Basse-Terre|97100;97209|Fort-de-France|97200;97302|Cayenne|97300;97411|Saint-Denis|97400
"""


def _parse(table: str) -> tuple[Commune, ...]:
    rows = (row.strip().split("|") for row in table.strip().split(";"))
    return tuple(Commune(cog, name, postal) for cog, name, postal in rows)


PREFECTURES = _parse(_PREFECTURES)

DISTRICTS = (
    *(Commune(f"751{n:02}", f"Paris {n}", f"750{n:02}") for n in range(1, 21)),
    *(Commune(f"6938{n}", f"Lyon {n}", f"6900{n}") for n in range(1, 10)),
    *(Commune(f"132{n:02}", f"Marseille {n}", f"130{n:02}") for n in range(1, 17)),
)

COUNTRIES = tuple(
    Commune(cog, name)
    for cog, name in (
        ("99139", "Portugal"), ("99134", "Espagne"), ("99127", "Italie"), ("99131", "Belgique"), ("99109", "Allemagne"),
        ("99352", "Algérie"), ("99350", "Maroc"), ("99351", "Tunisie"), ("99341", "Sénégal"),
        ("99326", "Côte d'Ivoire"), ("99208", "Turquie"), ("99243", "Viêt Nam"),
    )
)  # fmt: skip

BIRTHPLACES = PREFECTURES + DISTRICTS

_BY_COG = {commune.cog: commune for commune in BIRTHPLACES}

# Where the citizens of the demonstration live and are cared for.
TOWNS = tuple(
    _BY_COG[cog]
    for cog in (
        "35238", "31555", "59350", "67482", "2A004", "63113", "44109", "87085", "38185", "76540", "97411", "75113",
    )
)  # fmt: skip
