"""What the example shop sells, to whom, and where: names and goods in the shop's three languages.

Nobody here exists. Addresses end in example domains (RFC 2606). Phones are valid but given to nobody: +1 xxx
555-01xx is kept for fiction, and +359 98 0xx xxxx and +7 973 are mobile ranges without an operator.
"""

SHOP = {
    "name": "Samovar",
    "url": "https://samovar.example",
    "email": "hello@samovar.example",
    "phone": "+359980555000",
    "address": "бул. „Витоша“ 40, 1000 София",
    "color": "#8c2f1b",
    "language": "en",
    "timezone": "Europe/Sofia",
    "country": "BG",
    "currency": "EUR",
    "bank_details": "Samovar OOD\nIBAN: BG80 BNBG 9661 1020 3456 78\nBIC: BNBGBGSD",
    "staff_chat": "-1002026112000",
}

GOODS = {  # sku: (English, Russian, Bulgarian, euro cents, roubles)
    "TEA-ASSAM-250": ("Assam tea, 250 g", "Чай ассам, 250 г", "Чай Асам, 250 г", 1245, 1150),
    "TEA-SENCHA-100": ("Sencha green tea, 100 g", "Зелёный чай сенча, 100 г", "Зелен чай Сенча, 100 г", 980, 890),
    "TEA-IVAN-100": ("Fireweed tea, 100 g", "Иван-чай, 100 г", "Иван чай, 100 г", 650, 520),
    "TEA-MURSAL-50": ("Mursal mountain tea, 50 g", "Мурсальский чай, 50 г", "Мурсалски чай, 50 г", 590, 610),
    "TEA-PUER-357": ("Pu-erh cake, 357 g", "Пуэр, блин 357 г", "Чай Пуер, питка 357 г", 3400, 3190),
    "COF-ETHIOPIA-500": (
        "Ethiopia coffee beans, 500 g",
        "Кофе Эфиопия в зёрнах, 500 г",
        "Кафе Етиопия на зърна, 500 г",
        1690,
        1590,
    ),
    "COF-BRAZIL-1000": (
        "Brazil coffee beans, 1 kg",
        "Кофе Бразилия в зёрнах, 1 кг",
        "Кафе Бразилия на зърна, 1 кг",
        2290,
        2190,
    ),
    "POT-GLASS-08": ("Glass teapot, 0.8 l", "Стеклянный чайник, 0,8 л", "Стъклен чайник, 0,8 л", 1500, 1390),
    "POT-IRON-10": ("Cast-iron teapot, 1 l", "Чугунный чайник, 1 л", "Чугунен чайник, 1 л", 4900, 4490),
    "CUP-SET-6": ("Set of six cups", "Набор из шести чашек", "Комплект от шест чаши", 2750, 2490),
    "SAM-BRASS-3": ("Brass samovar, 3 l", "Латунный самовар, 3 л", "Месингов самовар, 3 л", 18900, 16900),
    "JAM-FIG-350": ("Fig jam, 350 g", "Варенье из инжира, 350 г", "Сладко от смокини, 350 г", 540, 490),
    "HON-LINDEN-500": ("Linden honey, 500 g", "Липовый мёд, 500 г", "Липов мед, 500 г", 890, 850),
    "FIL-PAPER-100": ("Paper filters, 100 pcs", "Бумажные фильтры, 100 шт.", "Хартиени филтри, 100 бр.", 390, 350),
}

FIRST = {  # separated by blanks
    "en": "Alice Ben Chloe Daniel Emma Finn Grace Harry Isla Jack Kate Liam Mia Noah Olive Peter Ruth Sam",
    "ru": "Анна Борис Вера Глеб Дарья Егор Жанна Илья Кира Лев Майя Никита Ольга Павел Роман Софья Юрий",
    "bg": "Ангел Боряна Васил Гергана Деница Емил Златка Иван Калина Любомир Мария Николай Петя Радка Стоян",
}
LAST = {
    "en": "Archer Baker Carter Dawson Ellis Fisher Gardner Hughes Irwin Jordan Kerr Lowe Mason Nash Palmer",
    "ru": "Бондаренко Ветер Гончар Дубров Живаго Зимних Коваль Ладных Мельник Новак Остапенко Рудь Седых",
    "bg": "Ангелов Богданов Вълчев Горанов Димов Енев Желев Занев Илиев Костов Ланджев Минчев Найденов",
}
STREETS = {
    "en": ("Harbour Street {}, Dublin 2", "Mill Lane {}, Cork", "Rose Square {}, 1407 Sofia"),
    "ru": ("Москва, ул. Лесная, д. {}", "Казань, ул. Речная, д. {}", "Новосибирск, ул. Сосновая, д. {}"),
    "bg": ("ул. „Шипка“ {}, 1504 София", "ул. „Морска“ {}, 9000 Варна", "ул. „Розова“ {}, 4000 Пловдив"),
}
ZONES = {
    "en": ("Europe/Dublin", "Europe/Dublin", "Europe/Sofia"),
    "ru": ("Europe/Moscow", "Europe/Moscow", "Asia/Novosibirsk"),
    "bg": ("Europe/Sofia",) * 3,
}
PHONES = {"en": "+1{area}55501{n:02d}", "ru": "+7973{n:07d}", "bg": "+35998{n:07d}"}
POINTS = {
    "en": "Samovar Dublin, Quay 4, 9:00-20:00",
    "ru": "Самовар, Москва, Чайный пер., 3, 10:00-21:00",
    "bg": "Самовар, София, бул. „Витоша“ 40, 9:00-20:00",
}
CARRIERS = {"en": "Celtic Parcels", "ru": "Почта Севера", "bg": "Балкан Експрес"}
COURIERS = {"en": "Sean", "ru": "Тимур", "bg": "Георги"}
COMMENTS = {
    "en": ("Please ring twice.", "It is a gift, no invoice inside please."),
    "ru": ("Позвоните за час, пожалуйста.", "Это подарок, чек не вкладывайте."),
    "bg": ("Моля, обадете се предварително.", "Подарък е, без касова бележка в кутията."),
}
NO_MONEY = {
    "en": "The bank declined the card.",
    "ru": "Банк отклонил операцию.",
    "bg": "Банката отказа плащането.",
}
CANCELLED = {
    "en": ("You asked us to cancel it.", "An item has run out, and there is no replacement."),
    "ru": ("По Вашей просьбе.", "Товар закончился, замены нет."),
    "bg": ("По Ваше желание.", "Артикулът е изчерпан и няма заместител."),
}
LATE = {
    "en": "Heavy traffic after the first snow.",
    "ru": "Пробки из-за первого снега.",
    "bg": "Задръствания заради първия сняг.",
}
SOUNDS = "a b v g d e e zh z i y k l m n o p r s t u f h ts ch sh sht a y y e yu ya"
LATIN = dict(zip("абвгдеёжзийклмнопрстуфхцчшщъыьэюя", SOUNDS.split(), strict=True))
