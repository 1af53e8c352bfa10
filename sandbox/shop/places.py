"""Where the shop sells: VAT rates, currencies, towns and the names that people have there.

The seller is in the Netherlands. Consumers in the EU pay the VAT of their own country (OSS), those in Britain,
Switzerland, Sweden and Japan too, in their own currency, because the seller is registered there; the rest is export.
"""

from dataclasses import dataclass
from decimal import Decimal

REVERSE_CHARGE = "Reverse charge 0%"
EXPORT = "Export 0%"
EU = frozenset({"NL", "DE", "FR", "IT", "AT", "BE", "ES", "GR", "SE"})
HOME = "NL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One country: ``rates`` are its VAT in percent, the standard one first; none means export at 0.

    ``exchange_rate`` is how many euros one unit of the currency is; empty for the euro.
    """

    country: str
    rates: tuple[str, ...]
    tax_name: str
    towns: tuple[tuple[str, str], ...]
    streets: tuple[str, ...]
    given: tuple[str, ...]
    family: tuple[str, ...]
    currency: str = "EUR"
    exchange_rate: str = ""
    weight: int = 2


PLACES: tuple[Place, ...] = (
    Place(
        country="NL",
        rates=("21", "9"),
        tax_name="BTW",
        weight=6,
        towns=(("1012 AB", "Amsterdam"), ("3511 LX", "Utrecht"), ("6211 EK", "Maastricht")),
        streets=("Keizersgracht", "Oudegracht", "Grote Staat"),
        given=("Sanne", "Daan", "Femke", "Bram", "Lotte", "Sem", "Noor", "Thijs"),
        family=("de Vries", "Bakker", "Visser", "Smit", "van den Berg", "Mulder", "de Boer", "Dijkstra"),
    ),
    Place(
        country="DE",
        rates=("19", "7"),
        tax_name="MwSt.",
        weight=5,
        towns=(("10115", "Berlin"), ("80331", "München"), ("50667", "Köln")),
        streets=("Hauptstraße", "Lindenallee", "Am Bühl"),
        given=("Jürgen", "Anja", "Björn", "Käthe", "Lukas", "Sabine", "Jörg", "Mia"),
        family=("Müller", "Weiß", "Schröder", "Krüger", "Jäger", "Groß", "Böhm", "Vogel"),
    ),
    Place(
        country="FR",
        rates=("20", "10", "5.5"),
        tax_name="TVA",
        weight=4,
        towns=(("75011", "Paris"), ("69002", "Lyon"), ("13001", "Marseille")),
        streets=("rue de l'Église", "avenue Foch", "quai d'Orléans"),
        given=("Chloé", "Zoé", "Hervé", "Aurélie", "Benoît", "Inès", "Noël", "Lucie"),
        family=("Lefèvre", "Garçon", "Dupré", "Hélène", "L'Hôpital", "Benoist", "Moreau", "Girard"),
    ),
    Place(
        country="IT",
        rates=("22", "10", "4"),
        tax_name="IVA",
        weight=4,
        towns=(("00184", "Roma"), ("20121", "Milano"), ("50122", "Firenze")),
        streets=("Via Roma", "Corso Cavour", "Viale della Libertà"),
        given=("Nicolò", "Giulia", "Desirée", "Matteo", "Chiara", "Elia", "Sara", "Davide"),
        family=("D'Angelo", "Conti", "Ferrè", "Greco", "De Luca", "Rinaldi", "Marchetti", "Sala"),
    ),
    Place(
        country="AT",
        rates=("20", "13", "10"),
        tax_name="USt.",
        towns=(("1010", "Wien"), ("5020", "Salzburg")),
        streets=("Kärntner Straße", "Getreidegasse"),
        given=("Leopold", "Resi", "Xaver", "Vroni", "Alois", "Franziska"),
        family=("Gruber", "Höller", "Pichler", "Wimmer", "Aigner", "Köck"),
    ),
    Place(
        country="BE",
        rates=("21", "12", "6"),
        tax_name="TVA/BTW",
        towns=(("1000", "Bruxelles"), ("9000", "Gent")),
        streets=("Rue Neuve", "Korenmarkt"),
        given=("Elise", "Wout", "Amélie", "Jef", "Margaux", "Seppe"),
        family=("Peeters", "Janssens", "Dubois", "Maes", "Claes", "Lambert"),
    ),
    Place(
        country="ES",
        rates=("21", "10", "4"),
        tax_name="IVA",
        towns=(("28013", "Madrid"), ("08002", "Barcelona")),
        streets=("Calle Mayor", "Carrer de Balmes"),
        given=("Begoña", "Iñaki", "Núria", "Álvaro", "Lucía", "Óscar"),
        family=("Muñoz Gil", "Peña Ruiz", "Ibáñez", "Núñez", "Castaño", "Garriga"),
    ),
    Place(
        country="GR",
        rates=("24", "13", "6"),
        tax_name="ΦΠΑ",
        towns=(("105 57", "Αθήνα"), ("546 24", "Θεσσαλονίκη")),
        streets=("Οδός Ερμού", "Λεωφόρος Νίκης"),
        given=("Γιώργος", "Ελένη", "Νίκος", "Κατερίνα", "Σπύρος", "Ζωή"),
        family=("Παππάς", "Οικονόμου", "Ράπτης", "Γαλάνης", "Μακρή", "Δούκας"),
    ),
    Place(
        country="SE",
        rates=("25", "12", "6"),
        tax_name="Moms",
        currency="SEK",
        exchange_rate="0.0885",
        towns=(("111 29", "Stockholm"), ("411 06", "Göteborg")),
        streets=("Drottninggatan", "Kungsportsavenyn"),
        given=("Åsa", "Örjan", "Märta", "Björn", "Linnéa", "Göran"),
        family=("Åkesson", "Sjöberg", "Lindström", "Öberg", "Nyström", "Hägg"),
    ),
    Place(
        country="GB",
        rates=("20", "5"),
        tax_name="VAT",
        currency="GBP",
        exchange_rate="1.1432",
        towns=(("EC1A 1BB", "London"), ("EH1 1YZ", "Edinburgh")),
        streets=("High Street", "Mill Lane"),
        given=("Imogen", "Alasdair", "Niamh", "Rhys", "Hamish", "Orla"),
        family=("O'Brien", "MacLeod", "Smythe-Jones", "Llewellyn", "Fletcher", "Ashdown"),
    ),
    Place(
        country="CH",
        rates=("8.1", "2.6"),
        tax_name="MWST",
        currency="CHF",
        exchange_rate="1.0713",
        towns=(("8001", "Zürich"), ("1204", "Genève")),
        streets=("Bahnhofstrasse", "Rue du Rhône"),
        given=("Urs", "Vreni", "Beat", "Odile", "Reto", "Ladina"),
        family=("Zürcher", "Ammann", "Fässler", "Jaquet", "Caflisch", "Rüegg"),
    ),
    Place(
        country="JP",
        rates=("10", "8"),
        tax_name="消費税",
        currency="JPY",
        exchange_rate="0.00571",
        towns=(("150-0001", "東京都渋谷区"), ("604-8005", "京都市中京区")),
        streets=("神宮前", "河原町通"),
        given=("さくら", "健太", "美咲", "翔", "陽菜", "大輔"),
        family=("佐藤", "鈴木", "高橋", "田中", "渡辺", "山本"),
    ),
    Place(
        country="US",
        rates=(),
        tax_name=EXPORT,
        currency="USD",
        exchange_rate="0.8619",
        towns=(("10001", "New York"), ("94103", "San Francisco")),
        streets=("5th Avenue", "Market Street"),
        given=("Tyler", "Madison", "Jordan", "Savannah", "Wyatt", "Brooklyn"),
        family=("Hernandez-Cole", "Whitaker", "O'Neill", "Pruitt", "Langford", "Stokes"),
    ),
    Place(
        country="CN",
        rates=(),
        tax_name=EXPORT,
        towns=(("200001", "上海"), ("100005", "北京")),
        streets=("南京东路", "王府井大街"),
        given=("伟", "芳", "小明", "丽", "建国", "婷婷"),
        family=("王", "李", "张", "刘", "陈", "杨"),
        weight=1,
    ),
    Place(
        country="AE",
        rates=(),
        tax_name=EXPORT,
        towns=(("00000", "دبي"), ("00000", "أبو ظبي")),
        streets=("شارع الشيخ زايد", "شارع الكورنيش"),
        given=("محمد", "فاطمة", "خالد", "عائشة", "يوسف", "مريم"),
        family=("الهاشمي", "المنصوري", "النعيمي", "الشامسي", "الكعبي", "السويدي"),
        weight=1,
    ),
)


def taxes_of_the_shop() -> tuple[tuple[str, Decimal], ...]:
    """Give name and percentage of every VAT that the shop charges: what its organisation must have."""
    named = [(f"VAT {place.country} {rate}%", Decimal(rate)) for place in PLACES for rate in place.rates]
    return (*named, (EXPORT, Decimal(0)), (REVERSE_CHARGE, Decimal(0)))


def currencies_of_the_shop() -> tuple[str, ...]:
    """Give the currencies in which the shop sells."""
    return tuple(dict.fromkeys(place.currency for place in PLACES))
