"""Languages outside the set are `other`, and those of the set are not, however close their neighbours are."""

import pytest

from src.language.detector import Detector, DetectorSpec
from src.language.neighbours import neighbours_of, strange_letters
from src.language.table import LANGUAGES, OTHER

DETECTOR = Detector(DetectorSpec())
ALL = Detector(DetectorSpec(languages=list(LANGUAGES)))
OUTSIDE = {
    "Indonesian": "Pak Tani memanen sembilan karung padi, lalu menjual empat karung kepada tetangganya kemarin sore.",
    "Tagalog": "May dalawampung lapis ang guro at ibinigay niya ang walo sa mga bata sa unang hanay ng silid.",
    "Polish": "Piekarz sprzedał rano dwanaście bochenków chleba, a po południu jeszcze osiem, czyli razem dwadzieścia.",
    "Turkish": "Fırıncı sabah on iki ekmek sattı, öğleden sonra sekiz ekmek daha sattı, yani toplam yirmi etti.",
    "Zulu": "Umbhaki uthengise amaqebelengwane ayishumi ekuseni, wabe esethengisa amanye ayisishiyagalombili ntambama.",
    "Dutch": "De bakker verkocht 's ochtends twaalf broden en 's middags nog acht, dus samen waren het er twintig.",
    "Swedish": "Bagaren sålde tolv limpor på morgonen och åtta till på eftermiddagen, alltså tjugo sammanlagt.",
    "Hungarian": "A pék reggel tizenkét kenyeret adott el, délután pedig még nyolcat, tehát összesen húszat.",
    "Romanian": "Brutarul a vândut dimineața douăsprezece pâini, iar după-amiaza încă opt, deci în total douăzeci.",
    "Galician": "O panadeiro vendeu doce bolos pola mañá e oito máis despois de xantar, é dicir, unha vintena.",
    "romanised Japanese": "Pan'ya wa asa ni juuni ko no pan o uri, gogo ni sara ni hachi ko urimashita kara, zenbu de nijuu desu.",
    "romanised Hindi": "Dukaandar ne subah baarah roti bechi aur dopahar mein aath roti aur bechi, yaani kul bees roti.",
    "Ukrainian": "Пекар уранці продав дванадцять хлібин, а після обіду ще вісім, тобто разом двадцять.",
    "Bulgarian": "Хлебарят продаде сутринта дванайсет хляба, а след обяд още осем, тоест общо двайсет.",
    "Kazakh": "Наубайшы таңертең он екі нан, ал түстен кейін тағы сегіз нан сатты, яғни барлығы жиырма.",
    "Assamese": "দোকানীজনে ৰাতিপুৱা বাৰটা পাউৰুটি বিক্ৰী কৰিলে আৰু আবেলি আৰু আঠটা বিক্ৰী কৰিলে।",
    "Greek": "Ο φούρναρης πούλησε το πρωί δώδεκα ψωμιά και το απόγευμα άλλα οκτώ, δηλαδή είκοσι συνολικά.",
    "Hindi": "दुकानदार ने सुबह बारह रोटियाँ बेचीं और दोपहर में आठ और बेचीं।",
    "keyboard": "qsdf jklm wxcv bnru tyiz opgh rtzu vbnk lpoi mxnc wqer tzui asdl fghk yxcv",
}


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_language_outside_the_set_is_other(name):
    assert DETECTOR.detect(OUTSIDE[name]) == OTHER


@pytest.mark.parametrize(
    "text",
    [
        "نانوا صبح دوازده نان فروخت و بعد از ظهر هشت نان دیگر، یعنی روی هم بیست نان.",
        "نانبائی نے صبح بارہ روٹیاں بیچیں اور دوپہر کے بعد آٹھ اور، یعنی کل بیس روٹیاں۔",
    ],
)
def test_persian_and_urdu_are_no_arabic(text):
    assert ALL.detect(text) == OTHER


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("ar", "باع الخباز اثني عشر رغيفا في الصباح وثمانية أرغفة أخرى بعد الظهر، أي عشرين رغيفا."),
        (
            "id",
            "Tukang roti itu menjual dua belas roti pada pagi hari karena banyak pembeli yang datang, dan delapan lagi sore.",
        ),
        ("it", "Il fornaio ha venduto dodici pagnotte la mattina e altre otto nel pomeriggio, cioè venti in tutto."),
        ("pt", "O padeiro vendeu doze pães de manhã e mais oito à tarde, ou seja, vinte ao todo."),
        (
            "sw",
            "Mwokaji aliuza mikate kumi na miwili asubuhi na mingine minane mchana, yaani jumla ya mikate ishirini.",
        ),
        ("ru", "Пекарь утром продал двенадцать буханок, а после обеда ещё восемь, то есть всего двадцать."),
        ("vi", "Người thợ làm bánh bán được mười hai ổ bánh vào buổi sáng và thêm tám ổ nữa vào buổi chiều."),
        ("bn", "রুটিওয়ালা সকালে বারোটি রুটি বিক্রি করল এবং বিকেলে আরও আটটি বিক্রি করল।"),
    ],
)
def test_a_language_of_the_set_is_itself(code, text):
    assert ALL.detect(text) == code


def test_an_outsider_within_a_trace_is_a_switch_to_other():
    text = f"Le boulanger a vendu vingt pains.\n{OUTSIDE['Polish']}\nIl lui reste donc trois pains pour le soir."
    assert [line.language for line in DETECTOR.lines(text)] == ["fr", OTHER, "fr"]


def test_letters_that_a_language_does_not_write_are_counted():
    assert strange_letters("їжак і єнот", "ru")  # three of nine letters
    assert not strange_letters("В Києве он купил двадцать яблок и десять груш на рынке", "ru")  # one, in a name
    assert strange_letters("źdźbło żółw", "en") and not strange_letters("naïve café, façade", "en")


def test_scripts_of_one_language_have_no_neighbours():
    assert neighbours_of("thai", ("th",)) is None
