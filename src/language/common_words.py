"""The commonest words of the languages in Latin letters: articles, pronouns, prepositions, forms of be and have.

Every sentence has some, a list of names or terms has none; and they tell near relatives apart whose other words look
alike. Words of one letter are left out, as a formula has them too.
"""

from __future__ import annotations

COMMON = {
    code: frozenset(words.split())
    for code, words in {
        "de": """der die das den dem des ein eine einen einem einer eines und oder aber nicht ist sind war waren wird
            werden wurde wurden hat haben hatte hatten er sie es wir ich du ihr sein seine seinen seiner ihre ihren ihrer
            für mit von vom zu zum zur auf aus bei nach über unter im am an in um wie viel viele wenn dann also daher
            somit pro jede jeder jedes jeden jedem noch mehr weniger als insgesamt auch nur dass damit durch beträgt
            bleiben wir uns sich so man kann muss gibt hier nun zwei drei vier""",
        "en": """the of and to is are was were be been has have had he she it they we you his her its their our them for
            with from by on at in as if then so how many much each every per this that these those there not but or
            which what when after before more than all will would can could does did do let us total an no out up into
            now only also who where while because since next finally thus therefore get gets two three four""",
        "es": """el la los las un una unos unas de del que en es son fue era eran se su sus por para con sin como más
            menos cada cuántos cuántas cuánto cuánta si entonces luego tiene tienen tenía hay al lo le les no pero cuando
            también después total entre sobre este esta estos estas cuál qué ha han está están ella él nos así dos tres
            cuatro sea donde todos todas""",
        "fr": """le la les un une des du de et ou que qui est sont était étaient ont avait il elle ils elles on nous vous
            je son sa ses leur leurs pour par avec sans dans sur au aux en ce cette ces cet combien si donc alors puis
            ensuite chaque plus moins ne pas mais comme quel quelle après entre se soit où tout tous toutes même deux
            trois quatre total""",
        "id": """yang dan di ke dari untuk dengan pada adalah itu ini tidak akan telah sudah ada satu dua tiga setiap
            berapa jumlah jika maka kemudian karena atau juga lebih dalam oleh sebagai mereka dia kita ia saat setelah
            masing total bisa hanya""",
        "it": """il lo la gli le un uno una di del dello della dei degli delle che in nel nella nei è sono era erano si
            suo sua suoi sue per con senza come più meno ogni quanti quante quanto quanta se allora poi quindi ha hanno
            aveva al allo alla ai alle non ma quando anche dopo tra fra su questo questa quale da dal dalla ci due tre
            quattro sia dove tutti tutte totale""",
        "ms": """yang dan di ke dari untuk dengan pada adalah itu ini tidak akan telah sudah ada satu dua tiga setiap
            berapa jumlah jika maka kemudian kerana atau juga lebih dalam oleh sebagai mereka dia kita ialah selepas boleh
            berapakah hanya""",
        "pt": """os as um uma uns umas de do da dos das ou que em no na nos nas é são foi era eram se seu sua seus suas
            por para com sem como mais menos cada quantos quantas quanto quanta então depois tem têm tinha há ao aos à às
            não mas quando também entre sobre este esta qual pelo pela pelos pelas ele ela isso dois duas três quatro
            seja onde todos todas total num numa""",
        "sw": """na ya wa za la kwa ni katika cha vya kila ana wana ina alikuwa kama je ngapi mangapi wangapi kiasi gani
            jumla ikiwa kisha basi hiyo hizo hii hizi huyo yake wake zake lake kwamba baada kabla zaidi kuliko au lakini
            sasa tuna una hivyo ili kutoka hadi pia kuna yao wao moja mbili tatu""",
        "vi": """là và của có cho một các những trong với được không này đó khi nếu thì mỗi bao nhiêu số tổng ta ra đến từ
            còn lại hơn đã sẽ vào để ở như anh cô ấy hai ba bốn vậy""",
    }.items()
}

# Of near relatives that lingua does not know, the commonest words that the language itself has not got: of Galician,
# Haitian and Occitan, Bavarian and Luxembourgish, Javanese and Sundanese, Asturian and Aragonese; of Swahili also Lingala
# and romanised Japanese, whose syllables look alike.
RELATIVES = {
    code: frozenset(words.split())
    for code, words in {
        "de": """san ned mia hob hod ham wos wia vui oan oans zwoa déi dat ass wéi vill vun fir op sinn awer och hunn huet""",
        "es": """les nun une unes tamién ye yera tien pela nel quantas quántas ista os dous dúas unha dun
            dunha despois máis entón polo pola hai xa catro nenos ao coa""",
        "fr": """yon nan ak li yo pou gen te ap konbye chak premye apre lè anpil rete kantite amb lo los las dels quantes
            avèm""",
        "id": """sing lan ing karo ora iki iku kuwi banjur maneh kabeh saka telung rong marang yèn jeung téh ti deui aya
            kabéh nu tuluy opat ayeuna teu kana tina""",
        "ms": """sing lan ing karo ora iki iku kuwi banjur maneh kabeh saka telung rong marang yèn jeung téh ti deui aya
            kabéh nu tuluy opat ayeuna teu kana tina""",
        "pt": """un unha unhas dun dunha nun nunha dous dúas máis entón despois tamén ata cando cantos cantas eses esas
            ese esa coa cos polo polos hai teñen xa nenos tódolos catro""",
        "sw": """no de wo desu kara kore sore sono kono suru shimasu shimashita imasu arimasu mashita node ezali azali mpo oyo
            yandi kele""",
    }.items()
}
RELATIVES = {code: words - COMMON[code] for code, words in RELATIVES.items()}
