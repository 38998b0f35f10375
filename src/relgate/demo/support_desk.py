"""The support desk: policy, router, retrieval, reranker, prompt, and a chain of models that answers.

``build(release)`` is named in manifests. Everything that the desk does is said by the release's artifacts.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from relgate.demo.cache import AnswerCache, CachePolicy
from relgate.demo.chain import Chain, Reply
from relgate.demo.corpus import Passage
from relgate.demo.orders import execute
from relgate.demo.policy import Policy
from relgate.demo.prompting import evidence_text, one_line, render
from relgate.demo.reranker import RerankerSettings, rerank
from relgate.demo.retrieval import open_retriever
from relgate.demo.routing import Plan, Router
from relgate.domain.release import Release
from relgate.domain.response import Request, Response, ToolCall

logger = logging.getLogger(__name__)

ROUTE = "support_answer"
RELEASE_HEADER = "X-Relgate-Release"


class SupportDesk:
    """Answers customers' questions from the help centre and acts on their orders."""

    def __init__(self, release: Release) -> None:
        self._release = release
        self._template = release.artifact("prompt", ROUTE).text
        self._policy = Policy.parse(release.artifact("safety_policy").text)
        self._router = Router.parse(release.artifact("router_policy").text)
        self._cache = AnswerCache(CachePolicy.parse(release.artifact("cache_policy").text))
        self._reranker = RerankerSettings.parse(release.artifact("reranker").text)
        self._retriever = open_retriever(release)
        tools = release.of_kind("tool_schema")
        self._tools: dict[str, dict[str, Any]] = {tool.name: json.loads(tool.text) for tool in tools}
        self._limits = {tool.name: tool.settings.get("approval_required_above_usd") for tool in tools}
        self._chain = Chain(release, ROUTE)
        self._stamp = f"release {release.digest}"

    async def __call__(self, request: Request) -> Response:
        """Answer one request.

        Raises:
            ProviderOutage: no target of the route answered.
        """
        question = self._cache.normalise(one_line(request.text))
        turns = _earlier_turns(request)
        conversation = (*(turn["content"] for turn in turns), question)
        # A further trial asks again: an answer from the cache would repeat the first one, not measure it.
        stored = self._cache.find(conversation) if request.trial == 0 else None
        if stored is not None:
            return stored
        response = await self._answer(question, turns, request)
        self._cache.store(conversation, response)
        logger.info("%s served by %s, %s", request.case_id, response.served_by, self._stamp)
        return response

    async def close(self) -> None:
        """Give back the connections."""
        await self._chain.close()

    async def _answer(self, question: str, turns: list[dict[str, str]], request: Request) -> Response:
        said = [question, *(turn["content"] for turn in turns if turn["role"] == "user")]
        broken = self._policy.check_question(said)
        if broken is not None:
            return self._refuse(broken.id, broken.refusal)
        plan = self._router.plan(question)
        passages = self._find(question, plan)
        if passages and (broken := self._policy.check_passage(passages[0])) is not None:
            return self._refuse(broken.id, broken.refusal, passages)
        # Further down the list a tainted passage is only left out: the answer rests on the first one.
        passages = [passage for passage in passages if self._policy.check_passage(passage) is None]
        prompt = render(
            self._template,
            {"question": question, "evidence": evidence_text(passages), "policy": self._policy.summary()},
        )
        tools = [self._tools[name] for name in plan.tools if name in self._tools]
        messages = [*turns, {"role": "user", "content": prompt}]
        reply = await self._chain.ask(messages, tools, self._headers(request))
        if reply.tool_call is not None:
            return self._act(reply, reply.tool_call)
        return _response(reply, reply.text, passages)

    def _find(self, question: str, plan: Plan) -> list[Passage]:
        if not plan.evidence_passages:
            return []
        hits = self._retriever.search(question, max(plan.evidence_passages, self._reranker.depth))
        return rerank(question, hits, self._reranker)[: plan.evidence_passages]

    def _act(self, reply: Reply, call: ToolCall) -> Response:
        broken = self._policy.check_call(call, self._limits.get(call.name))
        if broken is not None:
            logger.info("refused by %s, %s", broken.id, self._stamp)
            return _response(reply, broken.refusal, [])
        return _response(reply, execute(call), [], (call,))

    def _refuse(self, rule: str, refusal: str, passages: list[Passage] | None = None) -> Response:
        logger.info("refused by %s, %s", rule, self._stamp)
        return Response(refusal, retrieved=_article_ids(passages or []), tokens=0, cost_usd=0.0)

    def _headers(self, request: Request) -> Mapping[str, str]:
        return {RELEASE_HEADER: self._release.digest, **request.headers}


def build(release: Release) -> SupportDesk:
    """The builder that manifests name."""
    return SupportDesk(release)


def _earlier_turns(request: Request) -> list[dict[str, str]]:
    if isinstance(request.input, str):
        return []
    turns = list(request.input)
    last = max((i for i, turn in enumerate(turns) if turn.role == "user"), default=len(turns) - 1)
    return [{"role": turn.role, "content": turn.content} for turn in turns[:last]]


def _response(
    reply: Reply, output: str, passages: list[Passage], calls: tuple[ToolCall, ...] = ()
) -> Response:
    return Response(
        output=output,
        tool_calls=calls,
        retrieved=_article_ids(passages),
        served_by=str(reply.target),
        failed_hops=tuple(str(target) for target in reply.failed),
        tokens=reply.tokens,
        cost_usd=reply.cost_usd,
    )


def _article_ids(passages: list[Passage]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(passage.article_id for passage in passages))
