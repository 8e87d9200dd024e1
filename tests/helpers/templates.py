"""Chat templates of the kinds that model families have, shortened; their special tokens are those of `tiny.tokenizer`."""

from __future__ import annotations

# As Llama 3.2 has it: the date, given or today's, in a system message.
DATED = (
    "{% if not date_string is defined %}{% if strftime_now is defined %}{% set date_string = strftime_now('%d %b %Y') %}"
    "{% else %}{% set date_string = '26 Jul 2024' %}{% endif %}{% endif %}"
    "{{ '<|begin|><|im_start|>system\nToday Date: ' + date_string + '<|im_end|>' }}"
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] | trim + '<|im_end|>' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
# As Granite and gpt-oss have it: inside a macro, in a form of their own.
DATED_BY_MACRO = (
    "{% macro head() %}{{ 'Current date: ' + strftime_now('%Y-%m-%d') }}{% endmacro %}{{ '<|im_start|>system\n' + head() + "
    "'<|im_end|>' }}{% for message in messages %}{{ '<|im_start|>' + message.role + message.content + '<|im_end|>' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant' }}{% endif %}"
)
# As DeepSeek V3.1 has it: the switch is called `thinking`, and off, the prompt closes what it never opened.
THINKING = (
    "{% if not thinking is defined %}{% set thinking = false %}{% endif %}{{ bos_token }}{% for message in messages %}"
    "{% if message['role'] == 'user' %}{{ '<|User|>' + message['content'] }}{% else %}{{ '<|Assistant|></think>' + "
    "message['content'] + '<|end|>' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|Assistant|>' }}"
    "{% if thinking %}{{ '<think>' }}{% else %}{{ '</think>' }}{% endif %}{% endif %}"
)
# As Granite 3.3 has it: thinking is asked for in a system message.
THINKING_ASKED = (
    "{% if thinking %}{{ '<|im_start|>system\nThink between <think></think>.<|im_end|>' }}{% endif %}{% for message in "
    "messages %}{{ '<|im_start|>' + message['role'] + message['content'] + '<|end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant' }}{% endif %}"
)
# A switch of a name that nobody else has: the prompt closes the thinking, whatever is asked.
ALWAYS_CLOSED = (
    "{% for message in messages %}{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% if slow_mode is not defined %}"
    "{{ '<think>\n\n</think>\n\n' }}{% endif %}{% endif %}"
)
# As Gemma 3 and LLaVA have it: content is a list of parts, and there is no system role.
PARTS = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'system' %}{{ raise_exception('no system role') }}"
    "{% endif %}{{ '<|im_start|>' + message['role'] + '\n' }}{% for part in message['content'] %}{% if part['type'] == 'image' %}"
    "{{ '<image>' }}{% elif part['type'] == 'text' %}{{ part['text'] | trim }}{% endif %}{% endfor %}{{ '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>model\n' }}{% endif %}"
)
# As Gemma 2 has it: roles must alternate, and there is no system role.
NO_SYSTEM = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate') }}{% endif %}{{ '<|im_start|>' + message['role'] + '\n' + "
    "message['content'] | trim + '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>model\n' }}{% endif %}"
)
NEEDS_SYSTEM = (
    "{% if messages[0]['role'] != 'system' %}{{ raise_exception('the first message must be of the system') }}{% endif %}"
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
OTHER_ROLES = (
    "{% for message in messages %}{% if message.role == 'human' %}{{ message.content }}{% endif %}{% endfor %}go on"
)
# As Llama 2 and Mistral have it: no tokens for roles, the end token after a blank.
INSTRUCTIONS = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}"
    "{% else %}{{ ' ' + message['content'] + ' ' + eos_token }}{% endif %}{% endfor %}"
)
# As GLM 4 has it: nothing ends a turn but the next one.
NO_END = (
    "{% for message in messages %}{{ '<|User|>' if message.role == 'user' else '<|Assistant|>' }}{{ message.content }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|Assistant|>' }}{% endif %}"
)
