"""Thai. Things are counted with the classifier of the noun, which follows the number."""

from __future__ import annotations

from src.data.world.grammar import Noun, Templates, WorldLanguage

NOUNS = {
    "apple": Noun(("แอปเปิล",), counter="ลูก"),
    "book": Noun(("หนังสือ",), counter="เล่ม"),
    "egg": Noun(("ไข่",), counter="ฟอง"),
    "ball": Noun(("ลูกบอล",), counter="ลูก"),
    "flower": Noun(("ดอกไม้",), counter="ดอก"),
    "coin": Noun(("เหรียญ",), counter="เหรียญ"),
    "pencil": Noun(("ดินสอ",), counter="แท่ง"),
    "orange": Noun(("ส้ม",), counter="ลูก"),
    "stone": Noun(("ก้อนหิน",), counter="ก้อน"),
    "cup": Noun(("ถ้วย",), counter="ใบ"),
    "fish": Noun(("ปลา",), counter="ตัว"),
    "hat": Noun(("หมวก",), counter="ใบ"),
}


def forms(number: int, noun: Noun) -> dict[str, str]:
    (item,) = noun.forms
    return {
        "count": f"{item} {number} {noun.counter}",
        "number": f"{number} {noun.counter}",
        "items": item,
        "how_many": f"{item}กี่{noun.counter}",
    }


LANGUAGE = WorldLanguage(
    code="th",
    names=("สมชาย", "มานี", "มานะ", "ปิติ", "ชูใจ", "วีระ"),
    nouns=NOUNS,
    forms=forms,
    question=Templates(
        start=("{name}มี{count}", "ตอนแรก{name}มี{count}"),
        gain=("จากนั้น{name}ได้{items}เพิ่มอีก {number}", "แล้ว{name}ซื้อ{items}มาอีก {number}"),
        lose=("จากนั้น{name}ให้{items}เพื่อนไป {number}", "แล้ว{name}ทำ{items}หายไป {number}"),
        times=("จากนั้นจำนวน{items}เพิ่มเป็น {n} เท่า", "แล้ว{name}มี{items}เป็น {n} เท่าของเดิม"),
        close=("ตอนนี้{name}มี{how_many}", "ตอนนี้มี{how_many}"),
    ),
    held_out=Templates(
        start=("ในถุงของ{name}มี{count}",),
        gain=("มีคนนำ{items}มาฝาก {number}",),
        lose=("ต่อมา{items}ขาดไป {number}",),
        times=("ทันใดนั้น{items}กลายเป็น {n} เท่า",),
        close=("บอกได้ไหมว่าสุดท้าย{name}เหลือ{how_many}",),
    ),
    reasoning=Templates(
        start=("เริ่มต้นมี{count}",),
        gain=("จากนั้นบวก {n} จึงได้ {equation}", "เพิ่มเข้าไปอีก {n} ผลคือ {equation}"),
        lose=("จากนั้นลบ {n} จึงได้ {equation}", "เอาออกไป {n} ผลคือ {equation}"),
        times=("จากนั้นคูณด้วย {n} จึงได้ {equation}",),
        close=("ดังนั้นสุดท้ายมี{count}",),
    ),
)
