//! The licences that base models come under, beyond what their SPDX id alone tells.

/// A licence that the SPDX list does not have, or whose line says more than its family's.
pub(super) struct Known {
    /// Spellings; the first is the one shown.
    pub tags: &'static [&'static str],
    /// Words that its text begins with, lower case, single spaces; empty when it is not told by them.
    pub text: &'static str,
    pub commercial_use: Option<bool>,
    pub redistribution: Option<bool>,
    pub summary: &'static str,
}

/// First match wins, so narrower texts stand before wider ones.
pub(super) static KNOWN: &[Known] = &[
    Known {
        tags: &["Apache-2.0", "apache 2.0", "apache"],
        text: "apache license version 2.0",
        commercial_use: Some(true),
        redistribution: Some(true),
        summary: "Free to use, change and sell; pass on the licence text and notices, and say that you changed it.",
    },
    Known {
        tags: &["MIT"],
        text: "permission is hereby granted, free of charge, to any person obtaining a copy",
        commercial_use: Some(true),
        redistribution: Some(true),
        summary: "Free to use, change and sell; pass on the copyright notice and the licence text.",
    },
    Known {
        tags: &["bsd"],
        text: "redistribution and use in source and binary forms, with or without modification, are permitted",
        commercial_use: Some(true),
        redistribution: Some(true),
        summary: "Free to use, change and sell; pass on the copyright notice and the licence text.",
    },
    Known {
        tags: &["gemma"],
        text: "gemma terms of use",
        commercial_use: Some(true),
        redistribution: Some(true),
        summary: "Google's Gemma Terms: may be used and sold within the prohibited-use policy; pass on the terms and a \
                  notice that names them, and say that you changed it.",
    },
    Known {
        tags: &["llama4"],
        text: "llama 4 community license agreement",
        commercial_use: Some(true),
        redistribution: Some(true),
        summary: "Meta's Llama 4 licence: may be sold below 700 million monthly users, not offered to people or firms \
                  in the EU; show \"Built with Llama\" and begin the name of what you make with \"Llama\".",
    },
    Known {
        tags: &["llama3.3"],
        text: "llama 3.3 community license agreement",
        commercial_use: Some(true),
        redistribution: Some(true),
        summary: LLAMA_3_1,
    },
    Known {
        tags: &["llama3.2"],
        text: "llama 3.2 community license agreement",
        commercial_use: Some(true),
        redistribution: Some(true),
        summary: LLAMA_3_1,
    },
    Known {
        tags: &["llama3.1"],
        text: "llama 3.1 community license agreement",
        commercial_use: Some(true),
        redistribution: Some(true),
        summary: LLAMA_3_1,
    },
    Known {
        tags: &["llama3"],
        text: "meta llama 3 community license agreement",
        commercial_use: Some(true),
        redistribution: Some(true),
        summary: "Meta's Llama 3 licence: may be sold below 700 million monthly users, its answers may not improve other \
                  models; show \"Built with Meta Llama 3\" and begin the name of what you make with \"Llama 3\".",
    },
    Known {
        tags: &["llama2"],
        text: "llama 2 community license agreement",
        commercial_use: Some(true),
        redistribution: Some(true),
        summary: "Meta's Llama 2 licence: may be sold below 700 million monthly users, its answers may not improve other \
                  models; pass on the licence and its notice.",
    },
    Known {
        tags: &["qwen-research", "qwen research license", "tongyi-qianwen-research"],
        text: "qwen research license agreement",
        commercial_use: Some(false),
        redistribution: Some(true),
        summary: "Research only: what you make may not be used or sold in a business; show \"Built with Qwen\" and pass \
                  on the licence.",
    },
    Known {
        tags: &["qwen", "qwen license", "tongyi-qianwen"],
        text: "qwen license agreement",
        commercial_use: Some(true),
        redistribution: Some(true),
        summary: "Alibaba's Qwen licence: may be sold below 100 million monthly users; show \"Built with Qwen\" and pass \
                  on the licence.",
    },
    Known {
        tags: &["tongyi-qianwen-license-agreement"],
        text: "tongyi qianwen license agreement",
        commercial_use: Some(true),
        redistribution: Some(true),
        summary: "Alibaba's Tongyi Qianwen licence: may be sold below 100 million monthly users; pass on the licence and \
                  its notice.",
    },
    Known {
        tags: &["deepseek", "deepseek-license"],
        text: "deepseek license agreement",
        commercial_use: Some(true),
        redistribution: Some(true),
        summary: "DeepSeek's licence: may be used and sold, but not for the harmful uses that it lists; pass on the \
                  licence and those limits.",
    },
    Known {
        tags: &["bigcode-openrail-m"],
        text: "bigcode open rail-m",
        commercial_use: Some(true),
        redistribution: Some(true),
        summary: OPEN_RAIL,
    },
    Known {
        tags: &["bigscience-bloom-rail-1.0"],
        text: "bigscience rail license v1.0",
        commercial_use: Some(true),
        redistribution: Some(true),
        summary: OPEN_RAIL,
    },
    Known {
        tags: &["bigscience-openrail-m"],
        text: "bigscience open rail-m",
        commercial_use: Some(true),
        redistribution: Some(true),
        summary: OPEN_RAIL,
    },
    Known {
        tags: &["creativeml-openrail-m"],
        text: "creativeml open rail-m",
        commercial_use: Some(true),
        redistribution: Some(true),
        summary: OPEN_RAIL,
    },
    Known {
        tags: &["openrail", "openrail++"],
        text: "",
        commercial_use: Some(true),
        redistribution: Some(true),
        summary: OPEN_RAIL,
    },
    Known {
        tags: &["mrl", "mistral-ai-research-licence", "mistral-ai-research-license"],
        text: "mistral ai research license",
        commercial_use: Some(false),
        redistribution: Some(true),
        summary: "Research only: what you make may not be used or sold in a business; pass on the licence.",
    },
    Known {
        tags: &["mnpl", "mistral-ai-non-production-licence"],
        text: "mistral ai non-production license",
        commercial_use: Some(false),
        redistribution: Some(true),
        summary: "For trying out only: what you make may not be used or sold in a business; pass on the licence.",
    },
    Known {
        tags: &["nvidia-open-model-license"],
        text: "nvidia open model license",
        commercial_use: Some(true),
        redistribution: Some(true),
        summary: "NVIDIA's open model licence: free to use, change and sell; pass on the licence and its notice.",
    },
    Known {
        tags: &["stabilityai-ai-community", "stabilityai-community"],
        text: "stability ai community license agreement",
        commercial_use: Some(true),
        redistribution: Some(true),
        summary: "Stability AI's community licence: may be sold by those who earn less than 1 million US dollars a year; \
                  show \"Powered by Stability AI\" and pass on the licence.",
    },
    Known {
        tags: &["lfm1.0"],
        text: "lfm open license v1.0",
        commercial_use: Some(true),
        redistribution: Some(true),
        summary: "Liquid AI's licence: may be sold by those who earn less than 10 million US dollars a year; pass on the \
                  licence and say that you changed it.",
    },
    Known {
        tags: &["exaone"],
        text: "exaone ai model license agreement",
        commercial_use: Some(false),
        redistribution: Some(true),
        summary: "Research only: what you make may not be sold; begin its name with \"EXAONE\" and pass on the licence.",
    },
    Known {
        tags: &["apple-amlr"],
        text: "apple machine learning research model",
        commercial_use: Some(false),
        redistribution: Some(true),
        summary: "Research only: what you make may not be used or sold in a business; pass on the licence.",
    },
    Known {
        tags: &["microsoft-research-license", "msrla"],
        text: "microsoft research license",
        commercial_use: Some(false),
        redistribution: None,
        summary: "Research only: what you make may not be used or sold in a business; read the licence before you pass \
                  it on.",
    },
    Known {
        tags: &["intel-research"],
        text: "",
        commercial_use: Some(false),
        redistribution: None,
        summary: "Research only: what you make may not be used or sold in a business; read the licence before you pass \
                  it on.",
    },
    Known {
        tags: &["CC-BY-NC-SA-4.0"],
        text: "attribution-noncommercial-sharealike 4.0",
        ..CREATIVE_COMMONS
    },
    Known {
        tags: &["CC-BY-NC-ND-4.0"],
        text: "attribution-noncommercial-noderivatives 4.0",
        ..CREATIVE_COMMONS
    },
    Known { tags: &["CC-BY-NC-4.0"], text: "attribution-noncommercial 4.0", ..CREATIVE_COMMONS },
    Known { tags: &["CC-BY-SA-4.0"], text: "attribution-sharealike 4.0", ..CREATIVE_COMMONS },
    Known { tags: &["CC-BY-ND-4.0"], text: "attribution-noderivatives 4.0", ..CREATIVE_COMMONS },
    Known { tags: &["CC-BY-4.0"], text: "attribution 4.0 international", ..CREATIVE_COMMONS },
    Known { tags: &["gpl"], ..COPYLEFT_TEXT },
    Known { tags: &["lgpl"], ..COPYLEFT_TEXT },
    Known { tags: &["agpl"], ..COPYLEFT_TEXT },
    Known {
        tags: &["AGPL-3.0"],
        text: "gnu affero general public license version 3",
        ..COPYLEFT_TEXT
    },
    Known {
        tags: &["LGPL-3.0"],
        text: "gnu lesser general public license version 3",
        ..COPYLEFT_TEXT
    },
    Known { tags: &["GPL-3.0"], text: "gnu general public license version 3", ..COPYLEFT_TEXT },
    Known { tags: &["GPL-2.0"], text: "gnu general public license version 2", ..COPYLEFT_TEXT },
];

/// Recognised by its text here; what it allows follows from its SPDX id.
const CREATIVE_COMMONS: Known =
    Known { tags: &[], text: "", commercial_use: None, redistribution: None, summary: "" };
const COPYLEFT_TEXT: Known = Known {
    tags: &[],
    text: "",
    commercial_use: Some(true),
    redistribution: Some(true),
    summary: COPYLEFT,
};

pub(super) const COPYLEFT: &str =
    "Free to use, change and sell; whoever gets a copy must get it under the same licence.";
const LLAMA_3_1: &str = "Meta's Llama licence: may be sold below 700 million monthly users; show \"Built with Llama\", \
                         begin the name of what you make with \"Llama\", and pass on the licence.";
const OPEN_RAIL: &str = "May be used and sold, but not for the harmful uses that it lists; pass on the licence and those \
                         limits.";
pub(super) const FREE: &str = "Free to use, change and sell; pass on the licence text and notices.";
pub(super) const UNJUDGED: &str =
    "Read this licence before you sell or pass on what you make; what it allows is not known here.";
