"""Words of 18 languages that say how the parts of an answer belong together, or that something is not the answer."""

from __future__ import annotations

import re

# Words of scripts that put blanks between words must stand alone; those of the others may touch their neighbours.
_AND_SPACED = "and|und|et|y|e|и|na|dan|serta|và|as well as"
_OR_SPACED = "or|oder|ou|o|u|или|либо|au|ama|atau|hoặc|hay"
_AND_GLUED = "以及|和|与|與|及び|および|及|跟|と|그리고|과|와|및|และ|กับ|এবং|ও|আর|మరియు|و"
_OR_GLUED = "或者|或是|或|または|又は|もしくは|あるいは|또는|혹은|이나|หรือ|অথবা|কিংবা|বা|లేదా|أو|او"
_LETTER = r"[^\W\d_]"
AND = rf"(?:(?<!{_LETTER})(?:{_AND_SPACED})(?!{_LETTER})|(?:{_AND_GLUED})|\\(?:land|wedge)(?![A-Za-z]))"
OR = rf"(?:(?<!{_LETTER})(?:{_OR_SPACED})(?!{_LETTER})|(?:{_OR_GLUED})|\\(?:lor|vee)(?![A-Za-z]))"
AND_OR = rf"(?:and\s?/\s?or|{AND}|{OR})"

# What follows is denied.
NOT = (
    rf"(?:(?<!{_LETTER})(?:not|never|neither|nor|cannot|isn['’]t|can['’]t|wasn['’]t|nicht|kein(?:e|er|en|es)?|n['’]est pas|pas|non"
    rf"|no|não|nao|не|нет|si|sio|siyo|bukan|bukanlah|tidak|tak|không phải|không|chẳng phải|instead of|rather than)(?!{_LETTER})"
    r"|不是|并非|並非|不选|不選|非|ไม่ใช่|ليست|ليس)"
)
# What came before is denied.
WRONG = (
    rf"(?:(?<!{_LETTER})(?:incorrect|wrong|false|not (?:the )?(?:correct|right|true|answer|possible)|cannot be|can['’]t be|isn['’]t"
    r"|eliminated|ruled out|rejected|excluded|impossible|falsch|inkorrekt|incorrecte?|fausse?|faux|incorrect[oa]|fals[oa]|errónea"
    r"|err[oó]ne[oa]|equivocad[oa]|incorret[oa]|errad[oa]|sbagliat[oa]|errat[oa]|scorrett[oa]|невер[а-я]+|неправил[а-я]+"
    r"|ошибоч[а-я]+|si sahihi|sio sahihi|makosa|salah|sai|không đúng|không phải|tidak benar|tidak tepat"
    rf"|n['’]est pas|ist nicht|is not|are not|was not|no es|não é|non è|не является)(?!{_LETTER})"
    r"|不正确|不正確|不对|不對|错误|錯誤|是错|是錯|不是|正しくない|間違い|誤り|ではない|ではありません|ではなかった|でない|ではなく|じゃありません|じゃない|틀렸|틀린|틀리|오답|아니"
    r"|ไม่ถูก|ไม่ใช่|ผิด|ভুল|সঠিক নয়|নয়|తప్పు|సరైనది కాదు|కాదు|خاطئ|خطأ|غير صحيح|ليس|ليست)"
)
# A reason begins: what it says of other options denies nothing.
BECAUSE = (
    rf"(?:(?<!{_LETTER})(?:because|since|as|for|while|whereas|given|due to|weil|denn|da|parce que|car|puisque|porque|ya que|pues|pois"
    rf"|perché|poiché|потому что|так как|поскольку|kwa sababu|kwani|karena|sebab|kerana|vì|bởi vì|do|explanation|reason(?:ing)?|explication|erklärung|begründung|explicación|spiegazione|пояснение)(?!{_LETTER})"
    r"|因为|因為|解析|解説|설명|なぜなら|왜냐하면|เพราะ|เนื่องจาก|কারণ|ఎందుకంటే|لأن)"
)

and_or = re.compile(AND_OR, re.IGNORECASE)
either = re.compile(OR, re.IGNORECASE)
denial = re.compile(NOT, re.IGNORECASE)
wrong = re.compile(WRONG, re.IGNORECASE)
because = re.compile(BECAUSE, re.IGNORECASE)
